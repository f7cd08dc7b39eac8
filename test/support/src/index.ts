export { eventually } from './eventually.ts'
export { freePort, RedisServer } from './redis-server.ts'
export { type ProxyMode, TcpProxy } from './tcp-proxy.ts'
