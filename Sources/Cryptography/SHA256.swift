import COpenSSL

/// Computes the SHA-256 digest of octets, piece by piece (FIPS 180-4).
///
/// A value: a copy goes on by itself.
package struct SHA256: Sendable {
    package static let octetCount = 32

    /// One `EVP_MD_CTX`, freed with the last value that uses it.
    ///
    /// `@unchecked Sendable`: it is changed only by a value that is its only owner; values that share it copy it
    /// first, and read nothing else of it.
    private final class Context: @unchecked Sendable {
        let pointer: OpaquePointer

        init() {
            guard let pointer = EVP_MD_CTX_new(), EVP_DigestInit_ex(pointer, EVP_sha256(), nil) == 1
            else { preconditionFailure("libcrypto has no memory for SHA-256") }
            self.pointer = pointer
        }

        init(copying other: Context) {
            guard let pointer = EVP_MD_CTX_new(), EVP_MD_CTX_copy_ex(pointer, other.pointer) == 1
            else { preconditionFailure("libcrypto has no memory for SHA-256") }
            self.pointer = pointer
        }

        deinit {
            EVP_MD_CTX_free(self.pointer)
        }
    }

    private var context = Context()

    package init() {}

    package mutating func update(_ octets: UnsafeRawBufferPointer) {
        if !isKnownUniquelyReferenced(&self.context) {
            self.context = Context(copying: self.context)
        }
        _ = EVP_DigestUpdate(self.context.pointer, octets.baseAddress, octets.count)
    }

    package mutating func update(_ octets: some Sequence<UInt8>) {
        let isDone: Void? = octets.withContiguousStorageIfAvailable {
            self.update(UnsafeRawBufferPointer($0))
        }
        guard isDone == nil else { return }
        Array(octets).withUnsafeBytes { self.update($0) }
    }

    /// The digest of all octets so far, ``octetCount`` octets; more may follow.
    package var digest: [UInt8] {
        let last = Context(copying: self.context)
        return [UInt8](unsafeUninitializedCapacity: Self.octetCount) { buffer, count in
            _ = EVP_DigestFinal_ex(last.pointer, buffer.baseAddress, nil)
            count = Self.octetCount
        }
    }

    package static func digest(of octets: some Sequence<UInt8>) -> [UInt8] {
        var hash = SHA256()
        hash.update(octets)
        return hash.digest
    }
}
