import { unstable_cache } from 'next/cache'
import { notFound } from 'next/navigation'

// A page is rendered when it is first asked for, and again behind a reader when it is older than a minute.
export const revalidate = 60
export const generateStaticParams = () => []

const NAMES = new Map([
  ['1', 'Teapot'],
  ['2', 'Cup'],
  ['3', 'Saucer'],
])

/** Stands where your database is. */
async function findProduct(id: string) {
  return { name: NAMES.get(id), readAt: new Date().toISOString() }
}

export default async function ProductPage({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params
  const find = unstable_cache(() => findProduct(id), ['product', id], { tags: [`product:${id}`] })
  const { name, readAt } = await find()
  if (!name) notFound()
  return (
    <main>
      <h1>{name}</h1>
      <p>
        read <time dateTime={readAt}>{readAt}</time>
      </p>
    </main>
  )
}
