import { revalidateTag } from 'next/cache'

/** `POST /api/revalidate?tag=product:1`: call it where your data changes. In earnest, ask for a secret first. */
export async function POST(request: Request) {
  const tag = new URL(request.url).searchParams.get('tag')
  if (!tag) return Response.json({ error: 'tag is missing' }, { status: 400 })
  revalidateTag(tag, { expire: 0 })
  return Response.json({ revalidated: tag })
}
