/** A command, its name in lower case, and its arguments. */
export type Words = readonly [name: string, ...(string | Uint8Array | number)[]]

/**
 * Commands in the protocol of Redis: how many words, then every word behind its length in bytes. In one piece, however
 * many they are: to copy a value once costs next to nothing, to hand over many pieces does not.
 *
 * @returns text if all of it is text, as it is cheaper to send
 */
export function encodeCommands(commands: readonly Words[]): Buffer | string {
  /** Texts and values by turns, beginning with a text. */
  const pieces: (string | Uint8Array)[] = []
  let text = ''
  let length = 0
  for (const words of commands) {
    text += `*${words.length}\r\n`
    for (const word of words) {
      if (typeof word === 'number') {
        const digits = String(word)
        text += `$${digits.length}\r\n${digits}\r\n`
      } else if (typeof word === 'string') {
        const bytes = Buffer.byteLength(word)
        length += bytes - word.length
        text += `$${bytes}\r\n${word}\r\n`
      } else {
        text += `$${word.length}\r\n`
        length += text.length + word.length
        pieces.push(text, word)
        text = '\r\n'
      }
    }
  }
  return pieces.length === 0 ? text : assemble(pieces, text, length + text.length)
}

/** @param length bytes of all of it */
function assemble(pieces: readonly (string | Uint8Array)[], end: string, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      at += bytes.write(piece, at)
    } else {
      bytes.set(piece, at)
      at += piece.length
    }
  }
  bytes.write(end, at)
  return bytes
}
