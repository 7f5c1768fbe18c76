import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createAnswer } from './answer.ts'
import { toClickHouseError } from './clickhouse-error.ts'
import { readRequest } from './request.ts'
import { runStatement } from './run-statement.ts'
import type { Engine } from './task.ts'

/** Parameters are in the URL, and so is the text of a user's query when the guard inspects it. */
const LONGEST_URL_BYTES = 16 * 1024 * 1024

/** ClickHouse's HTTP interface over one chDB. */
export const createEngineServer = (engine: Engine): Server => {
  const options = { maxHeaderSize: LONGEST_URL_BYTES }
  const server = createServer(options, (request, response) => void handle({ engine, request, response }))
  // Statements may take any time, and so may uploads.
  server.requestTimeout = 0
  server.keepAliveTimeout = 60_000
  return server
}

type Exchange = { readonly engine: Engine; readonly request: IncomingMessage; readonly response: ServerResponse }

const handle = async (exchange: Exchange): Promise<void> => {
  const { request, response } = exchange
  const path = (request.url ?? '/').split('?')[0]
  if (path === '/ping') return void response.writeHead(200, { 'Content-Type': 'text/html; charset=UTF-8' }).end('Ok.\n')
  if (path !== '/') return void response.writeHead(404).end('There is no handler for this path.\n')
  await answerStatement(exchange)
  // Drain the body of a failed INSERT: a client that is still writing would not read the answer.
  request.unpipe()
  request.resume()
}

const answerStatement = async ({ engine, request, response }: Exchange): Promise<void> => {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  const { version } = engine
  const answerTo = (queryId: string, format: string, compressed: boolean) =>
    createAnswer({ response, queryId, format, version, compressed })
  try {
    const statement = await readRequest(request)
    const { queryId, compressed, scanned, defaultFormat } = statement
    const answer = answerTo(queryId, scanned.format ?? defaultFormat, compressed)
    try {
      await runStatement({ engine, request: statement, answer, gone: gone.signal })
    } catch (error) {
      answer.fail(toClickHouseError(error))
    }
  } catch (error) {
    answerTo('', '', false).fail(toClickHouseError(error))
  }
}
