const WIDTH = 24

/** A progress bar: `████████████░░░░░░░░░░░░ 50%`. Rounded down, so that only what is complete is full. */
export const bar = (percentage: number): string => {
  const filled = Math.floor((percentage / 100) * WIDTH)
  return `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${percentage}%`
}

/** Returns to the start of the line on a terminal, to draw over it. */
export const CLEAR_LINE = '\r\x1b[K'

/** Cuts a line that the next one is drawn over: if it wrapped, a part of it would stay on the screen. */
export const cutLine = (line: string, columns: number): string => line.slice(0, Math.max(20, columns - 1))
