import COpenSSL

/// An incremental SHA-256 digest (FIPS 180-4).
///
/// A copy continues independently.
package struct SHA256: Sendable {
    /// The length of a digest.
    package static let octetCount = 32

    /// An `EVP_MD_CTX`, freed with the last value that uses it.
    ///
    /// `@unchecked Sendable`: only a value that is its single owner changes it. A value that shares
    /// it copies it first, and reads nothing else.
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

    /// Adds octets to the digest.
    package mutating func update(_ octets: UnsafeRawBufferPointer) {
        if !isKnownUniquelyReferenced(&self.context) {
            self.context = Context(copying: self.context)
        }
        let result = EVP_DigestUpdate(self.context.pointer, octets.baseAddress, octets.count)
        precondition(result == 1, "libcrypto cannot continue a SHA-256 digest")
    }

    /// Adds octets to the digest.
    package mutating func update(_ octets: some Sequence<UInt8>) {
        let isDone: Void? = octets.withContiguousStorageIfAvailable {
            self.update(UnsafeRawBufferPointer($0))
        }
        guard isDone == nil else { return }
        Array(octets).withUnsafeBytes { self.update($0) }
    }

    /// The digest of all octets so far: ``octetCount`` octets. More octets may follow.
    package var digest: [UInt8] {
        let last = Context(copying: self.context)
        return [UInt8](unsafeUninitializedCapacity: Self.octetCount) { buffer, count in
            let result = EVP_DigestFinal_ex(last.pointer, buffer.baseAddress, nil)
            precondition(result == 1, "libcrypto cannot complete a SHA-256 digest")
            count = Self.octetCount
        }
    }

    /// The digest of a whole sequence.
    package static func digest(of octets: some Sequence<UInt8>) -> [UInt8] {
        var hash = SHA256()
        hash.update(octets)
        return hash.digest
    }
}
