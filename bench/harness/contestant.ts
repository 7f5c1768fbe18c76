import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchContext } from './scenario.ts'

/** What the module of a contestant exports as `open`: it starts the system and gives the operations to measure. */
export type OpenContestant<Options> = (options: Options) => Promise<Operations>

/** Operations by name; each takes and gives plain data. `close` is called at the end. */
export type Operations = { readonly close: () => Promise<void> } & Readonly<
  // biome-ignore lint/suspicious/noExplicitAny: plain data whose form the scenario and the contestant agree on
  Record<string, (input: any) => Promise<any>>
>

/** A system under measurement in a process of its own, so that its heap and its garbage are its own. */
export type Contestant = {
  readonly pid: number
  call<T>(operation: string, input?: unknown): Promise<T>
  close(): Promise<void>
}

type Answer = { readonly id: number; readonly value?: unknown; readonly error?: string }

/** Starts `bench/<module>` in a child process and waits until it is open. */
export const startContestant = async (
  context: BenchContext,
  input: { module: string; options: unknown; execArgv?: readonly string[] },
): Promise<Contestant> => {
  const module = new URL(`../${input.module}`, import.meta.url).href
  const child = fork(fileURLToPath(new URL('./contestant-main.ts', import.meta.url)), [module], {
    execArgv: [
      '--disable-warning=ExperimentalWarning',
      ...profileFlags(context, input.module),
      ...(input.execArgv ?? []),
    ],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const call = caller(child)
  await call('open', input.options)
  return {
    pid: child.pid!,
    call: call as Contestant['call'],
    async close() {
      if (child.exitCode !== null) return
      const exited = new Promise(resolve => child.once('exit', resolve))
      await call('close')
      child.disconnect()
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await exited
      clearTimeout(timer)
    },
  }
}

const profileFlags = (context: BenchContext, module: string): readonly string[] => {
  if (context.profileDirectory === null) return []
  const directory = join(context.profileDirectory, module.replaceAll(/[/.]/g, '-'))
  mkdirSync(directory, { recursive: true })
  return ['--cpu-prof', `--cpu-prof-dir=${directory}`]
}

const caller = (child: ChildProcess) => {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let lastId = 0
  child.on('message', (message: Answer) => {
    const caller = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.error === undefined) caller?.resolve(message.value)
    else caller?.reject(new Error(message.error))
  })
  child.once('exit', code => {
    for (const { reject } of waiting.values()) reject(new Error(`the measured process ended (${code})`))
  })
  return (operation: string, input?: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, { resolve, reject })
      child.send({ id, operation, input })
    })
}
