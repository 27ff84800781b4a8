"""What the doors of AWS's services share: descriptions, inputs, faults, and who calls.

Requests are parsed and checked, and answers are shaped, by botocore's description of a service.
"""
