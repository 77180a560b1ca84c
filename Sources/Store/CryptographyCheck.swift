import Cryptography

/// The start-up check of the algorithms that the store needs.
package enum CryptographyCheck {
    /// Requires the algorithms that hash passwords, seal credentials and mark the audit log.
    /// - Throws: `unusable` with the algorithms that libcrypto does not offer, and the remedy.
    package static func require() throws(StoreError) {
        do throws(SelfTestFailure) {
            try selfTest()
        } catch {
            throw .unusable(
                "OpenSSL does not offer \(error.algorithms.joined(separator: ", ")): correct the "
                    + "system's OpenSSL configuration (openssl.cnf, OPENSSL_CONF) or its FIPS "
                    + "provider"
            )
        }
    }
}
