import { connect, type Socket } from 'node:net'
import { ListeningProxy } from './listening-proxy.ts'
import { type LinkRole, type Toxic, ToxicLink } from './toxic-link.ts'

/** Which connections: those that subscribed, those for everything else, or all. */
export type Links = LinkRole | 'all'

interface Inflicted {
  readonly toxic: Toxic
  readonly links: Links
}

/**
 * A TCP proxy in front of a Redis server that knows enough of the protocol to tell the connection on which a client listens from
 * those on which it asks, and writes from reads, so that each can fail by itself.
 */
export class ToxicProxy extends ListeningProxy {
  readonly #target: number
  readonly #links = new Set<ToxicLink>()
  readonly #inflicted = new Set<Inflicted>()

  private constructor(target: number) {
    super()
    this.#target = target
  }

  /** @param target the port of the real server on 127.0.0.1 */
  static start(target: number): Promise<ToxicProxy> {
    return new ToxicProxy(target).listen()
  }

  /** Does something to connections, those that stand and those to come. @returns what ends it */
  inflict(toxic: Toxic, links: Links = 'all'): () => void {
    const inflicted = { toxic, links }
    this.#inflicted.add(inflicted)
    this.#change(links)
    return () => {
      if (!this.#inflicted.delete(inflicted)) return
      this.#change(links, toxic.kind === 'late' ? toxic.afterMs : undefined)
    }
  }

  /** Ends every such connection that stands now: by a reset, or politely. */
  override cut(how: 'reset' | 'end' = 'reset', links: Links = 'all'): void {
    for (const link of this.#matching(links)) how === 'reset' ? link.reset() : link.destroy()
  }

  #change(links: Links, late?: number): void {
    for (const link of this.#matching(links)) link.changed(late)
  }

  #matching(links: Links): ToxicLink[] {
    return [...this.#links].filter(({ role }) => links === 'all' || role === links)
  }

  #toxicsOf({ role }: ToxicLink): readonly Toxic[] {
    if (this.#inflicted.size === 0) return []
    return [...this.#inflicted].flatMap(({ toxic, links }) =>
      links === 'all' || links === role ? [toxic] : [],
    )
  }

  protected override accept(client: Socket): void {
    if ([...this.#inflicted].some(({ toxic, links }) => links === 'all' && toxic.kind === 'refuse')) {
      client.resetAndDestroy()
      return
    }
    const link: ToxicLink = new ToxicLink(
      client,
      connect(this.#target, '127.0.0.1'),
      each => this.#toxicsOf(each),
      () => this.#links.delete(link),
    )
    this.#links.add(link)
  }
}
