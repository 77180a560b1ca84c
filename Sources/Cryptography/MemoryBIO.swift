import COpenSSL

/// A BIO in memory: libcrypto reads PEM from it and writes PEM to it (RFC 7468).
final class MemoryBIO {
    let pointer: OpaquePointer

    init() throws(CryptographyError) {
        guard let pointer = BIO_new(BIO_s_mem()) else {
            CryptographyError.clearQueue()
            throw .unavailable
        }
        self.pointer = pointer
    }

    convenience init(_ text: String) throws(CryptographyError) {
        try self.init()
        let octets = Array(text.utf8)
        guard octets.count <= CInt.max,
            BIO_write(self.pointer, octets, CInt(octets.count)) == CInt(octets.count)
        else {
            CryptographyError.clearQueue()
            throw .unavailable
        }
    }

    deinit {
        BIO_free(self.pointer)
    }

    /// The octets that were written and not yet read.
    var text: String {
        let count = BIO_ctrl_pending(self.pointer)
        let octets = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = Int(max(BIO_read(self.pointer, buffer.baseAddress, CInt(count)), 0))
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
