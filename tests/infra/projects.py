"""Project files that tests of several stacks are about."""

from __future__ import annotations

import json

IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312"
INFERENCE = "def model_fn(folder):\n    return None\n"
CASES = json.dumps([{"id": "one", "input": "a", "expected": "b"}])
#: A project with everything that the stacks of endpoints are for.
WHOLE = f"""
project: TextClassification
stage: Demo
account: "123456789012"
region: us-east-1
tags: {{team: nlp}}
models:
  model-a: {{source: models/model-a, image: {IMAGE}, environment: {{LEVEL: info}}}}
  model-b: {{data: s3://models/model-b.tar.gz, image: {IMAGE}}}
  many: {{data: s3://textclassificationdemo-many/models/, image: {{folder: docker}}, multi_model: true}}
endpoints:
  text:
    lease: false
    variants:
      - name: Model-A
        model: model-a
        weight: 9
        type: ml.c5.xlarge
        scaling: {{least: 1, most: 3, target: 70}}
      - {{name: Model-B, model: model-b, weight: 1, type: ml.c5.xlarge}}
    capture:
      percentage: 10
      destination: s3://textclassificationdemo-captured/text
      json_types: [application/json]
    strategy: {{kind: canary, percent: 50, wait_seconds: 300, alarms: [slow]}}
  paid:
    lease: {{minutes: 30}}
    variants: [{{model: model-b, type: ml.c5.xlarge, scaling: {{least: 1, most: 2, target: 9}}}}]
  ready:
    lease: false
    deploy: false
    variants: [{{model: model-a, type: ml.c5.xlarge}}]
  shadowed:
    lease: false
    variants: [{{model: model-a, type: ml.c5.xlarge}}]
    shadows: [{{name: Next, model: model-b, type: ml.c5.xlarge}}]
  many:
    lease: false
    variants: [{{model: many, type: ml.c5.xlarge}}]
routes:
  /text: {{endpoint: text}}
monitor:
  thresholds: {{}}
  alarms:
    slow: {{endpoint: text, metric: ModelLatency, above: 500000, periods: 3}}
    hot: {{endpoint: paid, metric: CPUUtilization, above: 90}}
  subscribers:
    - ann@example.com
    - {{name: bob, kind: email, to: [bob@example.com, ann@example.com]}}
tester: {{route: /text, cases: cases.json, clients: 3, schedule: rate(5 minutes)}}
pipeline:
  repository: acme/shop
  connection: arn:aws:codeconnections:us-east-1:123456789012:connection/8a1c
limits: {{budget: {{amount: 50, per: week}}}}
"""
FILES = (
    ("models/model-a/code/inference.py", INFERENCE),
    ("models/model-a/test/input_data.json", CASES),
    ("docker/Dockerfile", "FROM scratch\n"),
    ("cases.json", CASES),
)
