"""The project that the tests synthesize: every stack has something to do in it."""

#: Folders that are put beside the file.
FOLDERS = {"no-op": "examples/no-op"}
#: What the embedded runtime knows this image by is the end of its address.
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
PREFIX = "WalkDemo"

PROJECT = f"""
project: Walk
stage: Demo
account: "000000000000"
region: us-east-1

models:
  sample: {{source: no-op, image: "{IMAGE}"}}
  many: {{data: "s3://walkdemo-many/models/", image: "{IMAGE}", multi_model: true}}

endpoints:
  text:
    variants:
      - name: Model-A
        model: sample
        weight: 9
        type: ml.c5.xlarge
        scaling: {{least: 1, most: 2, target: 70, metric: invocations}}
      - {{name: Model-B, model: sample, weight: 1, type: ml.c5.xlarge}}
    capture: {{destination: "s3://walkdemo-captured/text", json_types: [application/json]}}
    lease: {{minutes: 600}}
  metered:
    deploy: false
    variants: [{{model: sample, type: ml.c5.xlarge}}]
    lease: {{minutes: 30}}
  batch:
    variants: [{{model: sample, type: ml.c5.xlarge}}]
    async: {{output: "s3://walkdemo-answers/batch"}}
    lease: {{minutes: 600}}
  many:
    variants: [{{model: many, type: ml.c5.xlarge}}]
    lease: {{minutes: 600}}

routes:
  /text: {{endpoint: text}}
  /direct: {{endpoint: text, kind: direct}}
  /slow: {{endpoint: text, kind: execution}}
  /open: {{endpoint: text, auth: public, kind: direct}}
  /many: {{endpoint: many, kind: direct}}
  /batch: {{endpoint: batch, kind: direct}}

monitor:
  thresholds: {{}}
  alarms:
    slow: {{endpoint: text, metric: ModelLatency, statistic: p99, above: 500000, periods: 3}}
  subscribers: [ann@example.com]

tester: {{route: /text, cases: no-op/test/input_data.json, clients: 2, duration_seconds: 5}}
"""

#: The settings of the server: a ladder whose windows are minutes, so that a walk down it is short.
SERVER = """
maintain: {grace_minutes: 1, window_minutes: 1, notice_after: 2, stop_after: 3}
"""

#: The modules whose walks use what roles allow.
WALKS = (
    "test_async", "test_deployer", "test_destroying", "test_maintainer", "test_many", "test_meter",
    "test_rights", "test_tester",
)  # fmt: skip
