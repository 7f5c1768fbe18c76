import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

const NOT_OURS = ['node_modules', 'dist', 'data', '.git', 'coverage']

/** Relative links of the Markdown files below `root` that lead to no file or to no heading, one line each. */
export const findBrokenLinks = (root: string): readonly string[] =>
  globSync('**/*.md', { cwd: root, exclude: path => NOT_OURS.includes(path.split('/').at(-1)!) })
    .sort()
    .flatMap(path => brokenLinksOf(root, path))

const brokenLinksOf = (root: string, path: string): readonly string[] =>
  relativeLinks(readFileSync(resolve(root, path), 'utf8')).flatMap(link => {
    const [file, anchor] = link.split('#')
    const target = file === '' ? resolve(root, path) : resolve(root, dirname(path), decodeURI(file!))
    if (!existsSync(target)) return [`${path}: ${link} leads nowhere`]
    if (anchor === undefined || !target.endsWith('.md')) return []
    return headingAnchors(readFileSync(target, 'utf8')).has(anchor) ? [] : [`${path}: ${link}: no such heading`]
  })

const relativeLinks = (text: string): readonly string[] =>
  [...withoutCode(text).matchAll(/\]\(([^)\s]+)(?:\s"[^"]*")?\)|(?:src|href)="([^"]+)"/g)]
    .map(match => (match[1] ?? match[2])!)
    .filter(link => !/^[a-z][a-z0-9+.-]*:/i.test(link))

/** What stands in code is an example, not a link. */
const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '')

/** Anchors as the usual Markdown hosts make them from headings. */
const headingAnchors = (text: string): ReadonlySet<string> =>
  new Set(
    [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6}\s+(.+)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  )
