/**
 * A function host: a process that runs functions for the server, one item at a time. It imports little, so that it starts fast. State shared with
 * functions (console, process.stdout, process.env) is reset or cut off between items. If the host cannot be sure of that, it reports so and the server
 * ends it.
 */
import { openChannel } from './channel.ts'
import { replaceEnvironment } from './environment.ts'
import { createItemRunner } from './item-runner.ts'
import { watchModules } from './modules.ts'
import { takeOverOutput } from './output.ts'
import { openOwnDirectory } from './own-directory.ts'

type HostSettings = { readonly orders: string; readonly reports: string; readonly directory: string }

const settings = JSON.parse(process.argv[2]!) as HostSettings
process.argv.length = 1

const channel = openChannel(settings)
takeOverOutput(channel)
const runner = createItemRunner({
  channel,
  modules: watchModules(),
  directory: openOwnDirectory(settings.directory),
  base: { ...process.env },
  setEnvironment: wanted => replaceEnvironment(process.env, wanted),
})
channel.listen(runner.obey)
channel.say('ready', 0, String(process.pid))
