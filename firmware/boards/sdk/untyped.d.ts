/** Modules of the SDK that neither it (8.2.3) nor @moddable/typings has types for, as far as they are used. */

/** A module of the ESP32. The number is ESP-IDF's `esp_reset_reason_t`. */
declare module 'resetReason' {
  export default function resetReason(): { reason: number; string: string };
}

declare module 'ecp' {
  export default class ECPoint {
    static fromOctetString(octets: Uint8Array): ECPoint;
  }
}

declare module 'curve' {
  export default class Curve {
    constructor(name: 'secp256r1');
  }
}

declare module 'ecdsa' {
  import type Curve from 'curve';
  import type ECPoint from 'ecp';
  export default class ECDSA {
    constructor(key: ECPoint, curve: Curve);
    /** The signature is r and s in 32 bytes each. It does not end for s = 0. */
    verify(digest: ArrayBufferLike, signature: ArrayBufferLike): boolean;
  }
}

declare module 'pkcs8' {
  const PKCS8: { parse(key: Uint8Array): object };
  export default PKCS8;
}

declare module 'x509' {
  const X509: { decodeSPKI(certificate: ArrayBuffer): object };
  export default X509;
}
