import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { AppModule } from './app.module.js'

const { HOST = '127.0.0.1', PORT = '3000', REDIS_URL } = process.env

const app = await NestFactory.create(AppModule.forRoot(REDIS_URL ? { redisUrl: REDIS_URL } : {}), {
  logger: ['error', 'warn'],
})
await app.listen(Number(PORT), HOST)
console.log(`http://${HOST}:${PORT}/products/1`)

// Not `enableShutdownHooks`: it ends the process by the signal, this with 0.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => app.close())
