import Type, { type Static } from 'typebox'
import { PLAIN_TEXT } from './patterns.ts'

const text = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: PLAIN_TEXT, description })

const common = {
  skip_on_fail: Type.Optional(Type.Boolean({ description: 'Failed jobs are not told; false by default.' })),
  apis_to_send: Type.Optional(
    Type.Array(text(255, 'Name of a function.'), {
      minItems: 1,
      maxItems: 1000,
      description: 'Only jobs of kind api with these functions, which must exist; all jobs when absent.',
    }),
  ),
}

/** Signed after Standard Webhooks (https://www.standardwebhooks.com) when a secret is given. */
export const WebhookSink = Type.Object(
  {
    type: Type.Literal('webhook'),
    url: text(4096, 'http or https.'),
    headers: Type.Optional(
      Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.String({ maxLength: 8192 })),
    ),
    secret: Type.Optional(text(512, 'whsec_ and base64 of 24 to 64 bytes; kept encrypted.')),
    ...common,
  },
  { additionalProperties: false, title: 'WebhookSink' },
)

/** One JSON object per job in a bucket of S3 or a compatible store. */
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
    region: Type.Optional(text(64, 'us-east-1 when absent.')),
    endpoint: Type.Optional(text(4096, 'Of a compatible store; AWS when absent.')),
    force_path_style: Type.Optional(Type.Boolean()),
    access_key_id: text(256, 'Of the sink: it never gets the keys of the server.'),
    secret_access_key: text(512, 'Kept encrypted.'),
    ...common,
  },
  { additionalProperties: false, title: 'S3Sink' },
)

/** Where a finished job's result is sent. */
export const SinkSchema = Type.Union([WebhookSink, S3Sink], { title: 'Sink' })
export type Sink = Static<typeof SinkSchema>
export type WebhookSink = Static<typeof WebhookSink>
export type S3Sink = Static<typeof S3Sink>

/** Fields of a sink whose values are secret whatever they are named, beside the headers that `secrets.ts` knows. */
export const SECRET_SINK_FIELDS = ['secret', 'secret_access_key'] as const
