"""The objects in Amazon's own protocols, for clients that know no other: S3 and STS.

S3 is spoken path style below `/s3`, STS at `/sts`. What is there and what is not is told in
`docs/objects.md`; what is not is refused by the name that Amazon gives it.
"""
