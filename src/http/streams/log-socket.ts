import type { WebSocket } from 'ws'
import { type Following, followLog } from './follow-log.ts'
import { socketChannel } from './socket-channel.ts'

/** Follows a job's log over a WebSocket: one object (or array) per message, then `{event: "end", status}` and a normal close. */
export const followOverWebSocket = ({
  socket,
  pingMs,
  ...following
}: Following & { readonly socket: WebSocket; readonly pingMs: number }): Promise<void> =>
  followLog(socketChannel(socket, pingMs), following)
