"""The CDK application: what deploys Parkade's control plane and its endpoints on AWS."""
