import Type, { type Static } from 'typebox'
import { PLAIN_TEXT } from './patterns.ts'

const text = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: PLAIN_TEXT, description })

const common = {
  skip_on_fail: Type.Optional(Type.Boolean({ description: 'true: do not notify about failed jobs. Default: false.' })),
  apis_to_send: Type.Optional(
    Type.Array(text(255, 'Name of a function.'), {
      minItems: 1,
      maxItems: 1000,
      description: 'Notify only about api jobs that run one of these functions, which must exist. Default: all jobs.',
    }),
  ),
}

/** Signed according to Standard Webhooks (https://www.standardwebhooks.com) if a secret is given. */
export const WebhookSink = Type.Object(
  {
    type: Type.Literal('webhook'),
    url: text(4096, 'http or https.'),
    headers: Type.Optional(
      Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.String({ maxLength: 8192 })),
    ),
    secret: Type.Optional(text(512, 'Signing secret: whsec_ and the base64 of 24 to 64 bytes. Stored encrypted.')),
    ...common,
  },
  { additionalProperties: false, title: 'WebhookSink' },
)

/** Writes one JSON object per job to a bucket of S3 or a compatible store. */
export const S3Sink = Type.Object(
  {
    type: Type.Literal('s3'),
    bucket: text(255, 'Name of the bucket.'),
    key: Type.Optional(
      text(
        1024,
        'Template of {prefix}, {run_id}, {job_id}, {workflow_id}; "{prefix}/{run_id}/{job_id}.json" by default.',
      ),
    ),
    prefix: Type.Optional(Type.String({ maxLength: 512, pattern: PLAIN_TEXT })),
    region: Type.Optional(text(64, 'Region. Default: us-east-1.')),
    endpoint: Type.Optional(text(4096, 'URL of an S3-compatible store. Default: AWS.')),
    force_path_style: Type.Optional(Type.Boolean()),
    access_key_id: text(256, "Access key of the sink. The server's own keys are never used."),
    secret_access_key: text(512, 'Stored encrypted.'),
    ...common,
  },
  { additionalProperties: false, title: 'S3Sink' },
)

/** Where the result of a finished job is sent. */
export const SinkSchema = Type.Union([WebhookSink, S3Sink], { title: 'Sink' })
export type Sink = Static<typeof SinkSchema>
export type WebhookSink = Static<typeof WebhookSink>
export type S3Sink = Static<typeof S3Sink>

/** Fields of a sink that are always secret, in addition to the headers that `secrets.ts` recognizes. */
export const SECRET_SINK_FIELDS = ['secret', 'secret_access_key'] as const
