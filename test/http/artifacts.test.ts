import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'

type Uploaded = { artifact_id: string; name: string; sha256: string; size: number; content_type: string }

const PART = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello'

let server: TestServer
let job: string
beforeAll(async () => {
  server = await startTestServer({ settings: { 'max-artifact-bytes': '1MiB' } })
})
afterAll(() => server?.stop())
beforeEach(async () => {
  job = (await server.run({ command: 'true' })).job_id
})

const bearer = () => ({ authorization: `Bearer ${server.token}` })
const at = (rest = ''): string => `${server.url}/v1/jobs/${job}/artifacts${rest}`
const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex')

const upload = async (...files: [name: string, content: string | Buffer<ArrayBuffer>, field?: string][]) => {
  const form = new FormData()
  for (const [name, content, field = 'file'] of files) form.append(field, new Blob([content]), name)
  const response = await fetch(at(), { method: 'POST', headers: bearer(), body: form })
  return { status: response.status, body: (await response.json()) as { artifacts: Uploaded[]; code: string } }
}
const list = async (): Promise<string[]> =>
  (await server.call('GET', `/v1/jobs/${job}/artifacts`)).body.artifacts.map((one: Uploaded) => one.name)

describe('uploading', () => {
  test('accepts several files at once, in any status of the job', async () => {
    const { status, body } = await upload(['a.txt', 'one'], ['out/größe.bin', 'two'], ['empty', ''])
    expect(status).toBe(201)
    expect(body.artifacts).toEqual([
      {
        artifact_id: expect.any(String),
        name: 'a.txt',
        attempt: null,
        sha256: sha256('one'),
        size: 3,
        content_type: 'application/octet-stream',
        created_at: expect.any(String),
      },
      expect.objectContaining({ name: 'out/größe.bin', sha256: sha256('two') }),
      expect.objectContaining({ name: 'empty', size: 0, sha256: sha256('') }),
    ])
    expect((await list()).toSorted()).toEqual(['a.txt', 'empty', 'out/größe.bin'])
  })

  test.each(['../up.txt', '/etc/passwd', 'a/../../b', 'a\\b', 'C:x', 'a//b', './a', 'a\u0001'])(
    'refuses the name %j',
    async name => {
      const { status, body } = await upload([name, 'x'])
      expect([status, body.code]).toEqual([422, 'invalid'])
      expect(await list()).toEqual([])
    },
  )

  test('refuses a second file of the same name, and the first stays', async () => {
    await upload(['a.txt', 'one'])
    const { status, body } = await upload(['b.txt', 'new'], ['a.txt', 'other'])
    expect([status, body.code]).toEqual([409, 'artifact_exists'])
    expect((await upload(['c.txt', '1'], ['c.txt', '2'])).status).toBe(409)
    expect(await list()).toEqual(['a.txt'])
  })

  test('by an attempt replaces artifacts of earlier attempts, collected or uploaded, and nothing else', async () => {
    const send = (...names: string[]) =>
      `curl -s -w ' %{http_code}\n' $MILLRACE_URL/v1/jobs/$MILLRACE_JOB_ID/artifacts -H "Authorization: Bearer $MILLRACE_TOKEN" ${names.map(name => `-F 'file=@${name}'`).join(' ')}`
    const ended = await server.run({
      command: [
        `printf "by $MILLRACE_ATTEMPT" | tee report.txt > small`,
        'yes $MILLRACE_ATTEMPT | head -c 700000 > large',
        '[ $MILLRACE_ATTEMPT = 1 ] && echo once > first.txt',
        send('small', 'large'),
        send('large', 'report.txt'),
        '[ $MILLRACE_ATTEMPT = 2 ]',
      ].join('\n'),
      artifacts: ['*.txt'],
      retry: { maximum_attempts: 2, initial_interval: 0 },
    })
    job = ended.job_id
    const { body } = await server.call('GET', `/v1/jobs/${job}/artifacts`)
    expect(body.artifacts.map((one: { name: string; attempt: number }) => `${one.name} ${one.attempt}`).sort()).toEqual(
      ['first.txt 1', 'large 2', 'report.txt 2', 'small 2'],
    )
    const report = body.artifacts.find((one: Uploaded) => one.name === 'report.txt')
    expect(report.sha256).toBe(sha256('by 2'))
  })

  test('refuses a file that is too large together with the others', async () => {
    const { status, body } = await upload(['small.txt', 'x'], ['large.bin', randomBytes(1024 * 1024 + 1)])
    expect([status, body.code]).toEqual([413, 'too_large'])
    expect(await list()).toEqual([])
    expect((await upload(['right.bin', randomBytes(1024 * 1024)])).status).toBe(201)
  })

  test('refuses another part name, a plain field, no file and too many files', async () => {
    expect((await upload(['a.txt', 'x', 'data'])).status).toBe(422)
    const field = new FormData()
    field.append('file', 'just text')
    expect((await fetch(at(), { method: 'POST', headers: bearer(), body: field })).status).toBe(422)
    expect((await fetch(at(), { method: 'POST', headers: bearer(), body: new FormData() })).status).toBe(422)
    const many = Array.from({ length: 101 }, (_, i): [string, string] => [`f${i}`, 'x'])
    expect((await upload(...many)).status).toBe(413)
    expect(await list()).toEqual([])
  })

  test('accepts a hundred files', async () => {
    const many = Array.from({ length: 100 }, (_, i): [string, string] => [`f${i}`, `${i}`])
    expect((await upload(...many)).status).toBe(201)
    expect(await list()).toHaveLength(100)
  })

  test('refuses JSON', async () => {
    const answer = await server.call('POST', `/v1/jobs/${job}/artifacts`, { file: 'x' })
    expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type'])
  })

  test.each([
    ['without a boundary', 'multipart/form-data', 'x'],
    ['with another boundary', 'multipart/form-data; boundary=b', '--c\r\n\r\nx\r\n--c--\r\n'],
    ['without an end', 'multipart/form-data; boundary=b', PART],
    ['with a truncated header', 'multipart/form-data; boundary=b', '--b\r\nContent-Dispo'],
    ['of nothing', 'multipart/form-data; boundary=b', ''],
    ['named __proto__', 'multipart/form-data; boundary=b', PART.replace('"file"', '"__proto__"')],
  ])('refuses a body %s, and nothing is visible', async (_, type, body) => {
    const response = await fetch(at(), { method: 'POST', headers: { ...bearer(), 'content-type': type }, body })
    expect([400, 422]).toContain(response.status)
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    expect(await list()).toEqual([])
  })

  test.each([
    ['in its first file', `${PART}`],
    ['in its second file', `${PART}\r\n${PART.replace('a.txt', 'b.txt')}`],
    ['between two files', `${PART}\r\n--b\r\n`],
  ])('that is cut off %s leaves nothing visible', async (_, sent) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    await once(socket, 'connect')
    const head = `POST /v1/jobs/${job}/artifacts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.token}\r\n`
    const type = 'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n'
    socket.write(head + type + sent)
    // The server has read it once a later request over a new connection is answered.
    expect(await list()).toEqual([])
    socket.destroy()
    await once(socket, 'close')
    expect(await list()).toEqual([])
    expect((await upload(['a.txt', 'again'], ['b.txt', 'again'])).status).toBe(201)
  })
})

describe('downloading', () => {
  const content = Buffer.from('0123456789')
  let path: string
  beforeEach(async () => {
    const { body } = await upload(['out/day 1 ü.txt', content])
    path = `/${body.artifacts[0]?.artifact_id}`
  })
  const get = (headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
    fetch(at(path), { method, headers: { ...bearer(), ...headers } })
  const tag = `"${sha256(content)}"`

  test('sends the content under its name as an attachment', async () => {
    const response = await get()
    expect(response.status).toBe(200)
    expect(Buffer.from(await response.arrayBuffer())).toEqual(content)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      etag: tag,
      'accept-ranges': 'bytes',
      'content-length': '10',
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="day 1 _.txt"; filename*=UTF-8''day%201%20%C3%BC.txt`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
    })
  })

  test('HEAD gives the same headers and no content', async () => {
    const response = await get({ range: 'bytes=0-1' }, 'HEAD')
    expect([response.status, await response.text()]).toEqual([200, ''])
    expect(Object.fromEntries(response.headers)).toMatchObject({ etag: tag, 'content-length': '10' })
  })

  test.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-2', '89', 'bytes 8-9/10'],
    ['bytes=0-999', '0123456789', 'bytes 0-9/10'],
  ])('Range %s gives %s', async (range, expected, contentRange) => {
    const response = await get({ range })
    expect([response.status, await response.text()]).toEqual([206, expected])
    expect(response.headers.get('content-range')).toBe(contentRange)
    expect(response.headers.get('content-length')).toBe(String(expected.length))
  })

  test('a range beyond the end is refused with the size of the content', async () => {
    const response = await get({ range: 'bytes=10-' })
    expect(response.status).toBe(416)
    expect(response.headers.get('content-range')).toBe('bytes */10')
    expect(await response.json()).toMatchObject({ code: 'range_not_satisfiable' })
  })

  test('with If-Range of another tag sends everything', async () => {
    expect((await get({ range: 'bytes=0-1', 'if-range': tag })).status).toBe(206)
    expect((await get({ range: 'bytes=0-1', 'if-range': '"other"' })).status).toBe(200)
  })

  test('with If-None-Match of the same tag sends nothing', async () => {
    const response = await get({ 'if-none-match': tag })
    expect([response.status, await response.text(), response.headers.get('etag')]).toEqual([304, '', tag])
    expect((await get({ 'if-none-match': '"other"' })).status).toBe(200)
  })

  test('by a client that disconnects half-way does not harm the server', async () => {
    const { body } = await upload(['large.bin', randomBytes(1024 * 1024)])
    const target = new URL(at(`/${body.artifacts[0]?.artifact_id}`))
    const call = request(target, { headers: bearer() }).end()
    const [response] = await once(call, 'response')
    response.destroy()
    expect((await get()).status).toBe(200)
  })

  test('an artifact of another job is not found', async () => {
    const mine = path
    job = (await server.run({ command: 'true' })).job_id
    expect((await server.call('GET', `/v1/jobs/${job}/artifacts${mine}`)).status).toBe(404)
  })
})
