// What a login may ask for: what LuCI's own list of rights grants it, which is the page's list here as well.

/** A group of rights as in rpcd's acl.d. */
interface Grants {
  ubus?: Readonly<Record<string, readonly string[]>>;
}

export type AccessList = Readonly<Record<string, { read?: Grants; write?: Grants }>>;

/** Whether a method only looks, or changes something; null where nobody may call it. */
export function accessOf(
  list: AccessList,
  object: string,
  method: string,
): 'read' | 'write' | null {
  const grants = (side: 'read' | 'write'): boolean =>
    Object.values(list).some((group) => {
      const { ubus = {} } = group[side] ?? {};
      return Object.hasOwn(ubus, object) && ubus[object]!.includes(method);
    });
  if (grants('read')) return 'read';
  return grants('write') ? 'write' : null;
}
