/** An adapter for Keyv 6 among those for Keyv 5: it brings the one it is for along, since a peer there can be but one. */
export const hooks = {
  readPackage(manifest) {
    if (manifest.name === '@keyv/sqlite') {
      manifest.dependencies.keyv = manifest.peerDependencies.keyv
      delete manifest.peerDependencies.keyv
    }
    return manifest
  },
}
