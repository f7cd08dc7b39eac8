import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { APPLIED, type Entry, type Enumerable, isExpired, type Store, type WriteOutcome } from '@cache/core'
import { fromText, toText } from './entry-text.ts'

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA busy_timeout = 200;
  CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, entry TEXT NOT NULL, expires_at REAL NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS entries_by_expiry ON entries (expires_at);`

/** A store in a file of SQLite: it outlives the process, and other processes on this machine share it. */
export class SqliteStore implements Store, Enumerable {
  readonly name = 'sqlite'
  readonly #database: DatabaseSync
  readonly #get: StatementSync
  readonly #set: StatementSync
  readonly #delete: StatementSync
  readonly #clear: StatementSync
  readonly #expire: StatementSync
  readonly #keys: StatementSync

  constructor({ path }: { readonly path: string }) {
    this.#database = new DatabaseSync(path)
    this.#database.exec(SCHEMA)
    this.#get = this.#database.prepare('SELECT entry FROM entries WHERE key = ?')
    this.#set = this.#database.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?, ?)')
    this.#delete = this.#database.prepare('DELETE FROM entries WHERE key = ?')
    // Keys are bytes, for LIKE has wildcards and length() ends at a NUL.
    this.#clear = this.#database.prepare('DELETE FROM entries WHERE substr(key, 1, ?) = ?')
    this.#expire = this.#database.prepare('DELETE FROM entries WHERE expires_at <= ?')
    this.#keys = this.#database.prepare(
      'SELECT key FROM entries WHERE substr(key, 1, ?) = ? AND expires_at > ?',
    )
  }

  get(key: string): Entry | undefined {
    const row = this.#get.get(Buffer.from(key))
    const entry = row && fromText(row.entry as string)
    return entry && !isExpired(entry, Date.now()) ? entry : undefined
  }

  set(key: string, entry: Entry): WriteOutcome {
    this.#set.run(Buffer.from(key), toText(entry), entry.expiresAt)
    this.#expire.run(Date.now()) // The entry itself, too, if its time is up.
    return APPLIED
  }

  delete(key: string): WriteOutcome {
    this.#delete.run(Buffer.from(key))
    return APPLIED
  }

  clear(scope = ''): WriteOutcome {
    const bytes = Buffer.from(scope)
    this.#clear.run(bytes.length, bytes)
    return APPLIED
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  *keys(scope = ''): Generator<string> {
    const bytes = Buffer.from(scope)
    for (const { key } of this.#keys.all(bytes.length, bytes, Date.now()))
      yield Buffer.from(key as Uint8Array).toString()
  }
}
