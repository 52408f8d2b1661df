/**
 * What a connection holds while it holds nothing: most of ten thousand devices never have a message that waits, and a
 * map of each one's own would cost them more than their packets.
 */

// biome-ignore lint/suspicious/noExplicitAny: it is empty, so it is a map of anything
export const emptyMap: Map<any, any> = new Map();

/** A map to change: the given one, or a new one in place of {@link emptyMap}. */
export const ownMap = <K, V>(map: Map<K, V>): Map<K, V> => (map === emptyMap ? new Map() : map);
