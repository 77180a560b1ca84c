package import Access
package import Cryptography
package import Foundation
package import SASL

/// The key that seals the credentials of accounts and authenticates the seals of the audit log:
/// 32 octets, stored in base64 in a file of its own. Whoever has the store alone can neither
/// read a credential nor forge a seal.
package struct MasterKey: Sendable {
    /// The key itself; it leaves this type only in ``write(to:)``.
    private let key: SymmetricKey

    /// Creates a random key.
    package init() {
        self.key = SymmetricKey()
    }

    /// Reads the key from a file.
    /// - Throws: ``StoreError`` of kind `unusable` if the file is missing, its mode lets group
    ///   or others access it, it does not hold 32 octets in base64, or OpenSSL lacks an
    ///   algorithm that uses it.
    package init(file: String) throws {
        try CryptographyCheck.require()
        let attributes: [FileAttributeKey: Any]
        do {
            attributes = try FileManager.default.attributesOfItem(atPath: file)
        } catch {
            throw StoreError.unusable(
                "no master key at \(file): restore it from your backup; without it the stored "
                    + "credentials cannot be read"
            )
        }
        let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0o777
        guard mode & 0o077 == 0 else {
            throw StoreError.unusable("\(file) can be read by others: run chmod 600 \(file)")
        }
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard let octets = Data(base64Encoded: trimmed),
            let key = SymmetricKey(octets: Array(octets))
        else {
            throw StoreError.unusable("\(file) holds no master key: restore it from your backup")
        }
        self.key = key
    }

    /// Writes the key to a file with mode 0600.
    /// - Throws: ``StoreError`` of kind `unusable` if the file cannot be written.
    package func write(to file: String) throws {
        let text = self.key.base64EncodedString() + "\n"
        guard
            FileManager.default.createFile(
                atPath: file,
                contents: Data(text.utf8),
                attributes: [.posixPermissions: 0o600]
            )
        else { throw StoreError.unusable("\(file) cannot be written") }
    }

    /// Encrypts a password with AES-GCM for one account. The account's number is authenticated,
    /// so a sealed password that is copied to another account's row does not open there.
    package func seal(_ password: String, for account: AccountID) throws -> Data {
        Data(
            try AESGCM.seal(
                Array(password.utf8),
                key: self.key,
                purpose: Self.purpose(account)
            )
        )
    }

    /// Decrypts the credential for an account's server.
    /// - Throws: ``StoreError`` of kind `unusable` if there is none, if it was sealed with
    ///   another key or for another account, or if it is not legal.
    package func credential(of account: UpstreamAccount) throws -> UpstreamCredential {
        guard let sealed = account.sealedPassword else {
            throw StoreError.unusable(
                "no credential for \(account.address): gatepost account set \(account.address) "
                    + "--password-stdin"
            )
        }
        return try UpstreamCredential(
            user: account.username,
            proof: .password(Secret(try self.password(sealed, of: account)))
        )
    }

    /// Opens the sealed password of an account.
    private func password(
        _ sealed: Data,
        of account: UpstreamAccount
    ) throws(StoreError) -> [UInt8] {
        do throws(CryptographyError) {
            return try AESGCM.open(
                Array(sealed),
                key: self.key,
                purpose: Self.purpose(account.id)
            )
        } catch {
            throw Self.refusal(error, of: account)
        }
    }

    /// The message for a credential that cannot be opened. Only `notAuthentic` says that the key is
    /// wrong.
    static func refusal(_ error: CryptographyError, of account: UpstreamAccount) -> StoreError {
        switch error {
        case .notAuthentic:
            .unusable(
                "the credential of \(account.address) was not sealed with this master key: restore "
                    + "the key, or set the credential again"
            )
        case .unavailable, .unusable:
            .unusable(
                "the credential of \(account.address) cannot be opened: OpenSSL lacks memory or "
                    + "AES-256-GCM; check the memory and the system's OpenSSL configuration"
            )
        }
    }

    // MARK: - Marks

    /// The authentication code of some octets: HMAC-SHA-256 (RFC 2104) with a key that is
    /// derived from this one (RFC 5869), so that no key serves two purposes.
    /// - Returns: 32 octets.
    func mark(_ octets: Data) -> Data {
        Data(HMACSHA256.code(for: octets, key: self.markingKey))
    }

    /// Whether a code authenticates these octets. The comparison takes constant time.
    func isValid(_ mark: Data, for octets: Data) -> Bool {
        HMACSHA256.isValid(mark, for: octets, key: self.markingKey)
    }

    /// The derived key of the file in which a gateway keeps verified logins across a restart.
    package var keptLoginsKey: SymmetricKey {
        HMACSHA256.derivedKey(from: self.key, purpose: "gatepost kept logins")
    }

    /// The derived key of the marks under which gateways that share a store count login names.
    package var countedLoginsKey: SymmetricKey {
        HMACSHA256.derivedKey(from: self.key, purpose: "gatepost counted logins")
    }

    /// The derived key of the codes.
    private var markingKey: SymmetricKey {
        HMACSHA256.derivedKey(from: self.key, purpose: "gatepost audit seal")
    }

    /// The additional authenticated data of a sealed credential.
    private static func purpose(_ account: AccountID) -> [UInt8] {
        Array("gatepost upstream credential \(account.rawValue)".utf8)
    }
}

/// The check of a credential before use.
extension UpstreamCredential {
    /// Creates a credential for a login at a server.
    /// - Throws: ``StoreError`` of kind `unusable` if a part is empty or has control characters
    ///   (``UpstreamCredential/isLegal``).
    package init(user username: String, proof: Proof) throws {
        self.init(username: Array(username.utf8), proof: proof)
        guard self.isLegal else {
            throw StoreError.unusable(
                "the credential for the server is empty or has control characters: set the "
                    + "account's user name and password again (gatepost account set)"
            )
        }
    }
}
