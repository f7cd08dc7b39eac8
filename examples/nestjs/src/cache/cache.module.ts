import { Cache } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { TieredStore } from '@cache/tiered'
import { type DynamicModule, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common'

export interface CacheModuleOptions {
  /** Redis behind memory; without it, memory only. */
  readonly redisUrl?: string
}

/** The application's cache, for any constructor to ask for. Nest closes it at the end. */
@Injectable()
export class AppCache extends Cache implements OnApplicationShutdown {
  onApplicationShutdown(): Promise<void> {
    return this.close()
  }
}

@Module({})
export class CacheModule {
  static forRoot({ redisUrl }: CacheModuleOptions): DynamicModule {
    const useFactory = () => new AppCache({ store: createStore(redisUrl), ttl: '5m', grace: '1h' })
    return {
      module: CacheModule,
      global: true,
      providers: [{ provide: AppCache, useFactory }],
      exports: [AppCache],
    }
  }
}

function createStore(redisUrl: string | undefined): MemoryStore | TieredStore {
  const memory = new MemoryStore({ maxItems: 10_000 })
  if (!redisUrl) return memory
  return new TieredStore({ l1: memory, l2: new RedisStore({ url: redisUrl, prefix: 'nest:' }) })
}
