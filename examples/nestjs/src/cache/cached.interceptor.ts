import type { LoadOptions } from '@cache/core'
import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { from, lastValueFrom, type Observable } from 'rxjs'
import { AppCache } from './cache.module.js'

const OPTIONS = 'cached:options'

interface Request {
  readonly params: Readonly<Record<string, string>>
  readonly originalUrl: string
}

export interface CachedOptions extends Pick<LoadOptions, 'ttl' | 'grace' | 'negativeTtl'> {
  /** The key of an answer. Default: the path and query of the request. */
  readonly key?: (params: Readonly<Record<string, string>>) => string
  /** Tags to invalidate it by. */
  readonly tags?: (params: Readonly<Record<string, string>>) => readonly string[]
}

@Injectable()
class CachedInterceptor implements NestInterceptor {
  constructor(
    private readonly cache: AppCache,
    private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { key, tags, ...life } = this.reflector.get<CachedOptions>(OPTIONS, context.getHandler())
    const { params, originalUrl } = context.switchToHttp().getRequest<Request>()
    const load = () => lastValueFrom(next.handle())
    const options = { ...life, ...(tags && { tags: tags(params) }) }
    return from(this.cache.getOrSet(key ? key(params) : originalUrl, load, options))
  }
}

/** Reads a route through the cache: the handler runs when its answer is not there, once for all who wait for it. */
export function Cached(options: CachedOptions = {}): MethodDecorator {
  return applyDecorators(SetMetadata(OPTIONS, options), UseInterceptors(CachedInterceptor))
}
