import { BadRequestException, Body, Controller, Get, Param, ParseIntPipe, Put } from '@nestjs/common'
import { Cached } from '../cache/cached.interceptor.js'
import { type Product, ProductsService } from './products.service.js'

@Controller('products')
export class ProductsController {
  constructor(private readonly products: ProductsService) {}

  @Get()
  @Cached({ ttl: '1m', key: () => 'products', tags: () => ['product:1', 'product:2', 'product:3'] })
  all(): Promise<readonly Product[]> {
    return this.products.all()
  }

  @Get(':id')
  @Cached({ key: ({ id }) => `product:${id}`, tags: ({ id }) => [`product:${id}`] })
  find(@Param('id', ParseIntPipe) id: number): Promise<Product> {
    return this.products.find(id)
  }

  @Put(':id/price')
  setPrice(
    @Param('id', ParseIntPipe) id: number,
    @Body() body: { priceCents?: unknown } | undefined,
  ): Promise<Product> {
    const priceCents = body?.priceCents
    if (typeof priceCents !== 'number' || !Number.isSafeInteger(priceCents) || priceCents < 1) {
      throw new BadRequestException('priceCents must be an integer >= 1')
    }
    return this.products.setPrice(id, priceCents)
  }
}
