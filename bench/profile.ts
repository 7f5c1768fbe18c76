import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The parts of V8's `.cpuprofile` that are used here; times in microseconds. */
type CpuProfile = {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}
type CallFrame = { readonly functionName: string; readonly url: string; readonly lineNumber: number }

/** Where the time went, function by function, for every CPU profile below a directory. One profile is one thread. */
export const printProfiles = async (directory: string): Promise<void> => {
  const files = await readdir(directory, { recursive: true })
  for (const file of files.filter(name => name.endsWith('.cpuprofile')).sort()) {
    const profile = JSON.parse(await readFile(join(directory, file), 'utf8')) as CpuProfile
    console.log(`\n${file}`)
    for (const line of hottest(profile, 25)) console.log(`  ${line}`)
  }
}

const hottest = (profile: CpuProfile, count: number): readonly string[] => {
  const frames = new Map(profile.nodes.map(node => [node.id, describe(node.callFrame)]))
  const times = new Map<string, number>()
  profile.samples.forEach((id, index) => {
    const frame = frames.get(id) ?? '(unknown)'
    times.set(frame, (times.get(frame) ?? 0) + profile.timeDeltas[index]!)
  })
  const idle = times.get('(idle)') ?? 0
  const total = [...times.values()].reduce((sum, time) => sum + time, 0)
  const busy = [...times].filter(([frame]) => frame !== '(idle)').sort((a, b) => b[1] - a[1])
  return [
    `${seconds(total)} in all, ${seconds(idle)} idle`,
    ...busy
      .slice(0, count)
      .map(([frame, time]) => `${((100 * time) / (total - idle)).toFixed(1).padStart(5)} %  ${frame}`),
  ]
}

const seconds = (microseconds: number): string => `${(microseconds / 1e6).toFixed(2)} s`

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const describe = ({ functionName, url, lineNumber }: CallFrame): string => {
  if (url === '') return functionName === '' ? '(native)' : functionName
  const file = url.startsWith('file:') ? relative(ROOT, fileURLToPath(url)) : url
  return `${functionName || '(anonymous)'}  ${file}:${lineNumber + 1}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await printProfiles(process.argv[2] ?? '.')
