import { type DynamicModule, Module } from '@nestjs/common'
import { CacheModule, type CacheModuleOptions } from './cache/cache.module.js'
import { ProductsController } from './products/products.controller.js'
import { ProductsService } from './products/products.service.js'

@Module({})
export class AppModule {
  static forRoot(options: CacheModuleOptions): DynamicModule {
    return {
      module: AppModule,
      imports: [CacheModule.forRoot(options)],
      controllers: [ProductsController],
      providers: [ProductsService],
    }
  }
}
