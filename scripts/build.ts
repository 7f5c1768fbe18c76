/** Compiles `src/` to `dist/` with plain tsc and copies what the compiler leaves: the SQL of the migrations. */
import { execFileSync } from 'node:child_process'
import { cpSync, globSync, rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const target = join(root, 'dist')

rmSync(target, { recursive: true, force: true })
execFileSync(join(root, 'node_modules/.bin/tsc'), ['--project', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
for (const file of globSync('src/**/*.sql', { cwd: root }))
  cpSync(join(root, file), join(target, relative('src', file)), { recursive: true })
