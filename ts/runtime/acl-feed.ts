/** What the data plane is told of ACLs: all of them once, then what changed. What they mean is decided in both planes. */
import type { Command } from '../native/commands.js'
import type { MetadataImage } from '../state/image.js'
import type { MetadataDelta } from '../state/image-delta.js'

/** Null where there is nothing to tell. `delta` null: the first image. */
export function aclCommand(image: MetadataImage, delta: MetadataDelta | null): Command | null {
  const ids = delta === null ? [...image.acls.keys()] : [...delta.acls]
  if (ids.length === 0) return null
  const added = ids.flatMap((id) => {
    const acl = image.acls.get(id)
    return acl === undefined ? [] : [{ id, ...acl }]
  })
  return { kind: 'apply-acls', removed: ids.filter((id) => !image.acls.has(id)), added }
}
