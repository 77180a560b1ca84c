package import Access
import Cryptography
package import Foundation
package import SASL

/// The key that seals the credentials of accounts; 32 octets, in base64 in a file of its own.
package struct MasterKey: Sendable {
    private let key: SymmetricKey

    package init() {
        self.key = SymmetricKey()
    }

    /// - Throws: when the file is missing, others can read it, or it holds no key.
    package init(file: String) throws {
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

    /// Writes the key to a new file that only its owner can read.
    package func write(to file: String) throws {
        let text = Data(self.key.octets).base64EncodedString() + "\n"
        guard
            FileManager.default.createFile(
                atPath: file,
                contents: Data(text.utf8),
                attributes: [.posixPermissions: 0o600]
            )
        else { throw StoreError.unusable("\(file) cannot be written") }
    }

    /// Seals a password for one account: it opens for no other.
    package func seal(_ password: String, for account: AccountID) throws -> Data {
        Data(
            try AESGCM.seal(
                Array(password.utf8),
                key: self.key,
                purpose: Self.purpose(account)
            )
        )
    }

    /// The credential of an account's server.
    /// - Throws: when there is none, or it was sealed with another key or for another account.
    package func credential(of account: UpstreamAccount) throws -> UpstreamCredential {
        guard let sealed = account.sealedPassword else {
            throw StoreError.unusable(
                "no credential for \(account.address): gatepost account set \(account.address) "
                    + "--password-stdin"
            )
        }
        guard
            let octets = try? AESGCM.open(
                Array(sealed),
                key: self.key,
                purpose: Self.purpose(account.id)
            )
        else {
            throw StoreError.unusable(
                "the credential of \(account.address) does not open with this master key: restore "
                    + "the key, or set the credential anew"
            )
        }
        return try UpstreamCredential(
            user: account.username,
            proof: .password(Secret(Array(octets)))
        )
    }

    // MARK: - Marks

    /// What authenticates something as made with this key (HMAC-SHA-256, RFC 2104), with a key of
    /// its own (RFC 5869).
    func mark(_ octets: Data) -> Data {
        Data(HMACSHA256.code(for: octets, key: self.markingKey))
    }

    /// Whether it is the mark of these octets; takes the same time whatever differs.
    func isValid(_ mark: Data, for octets: Data) -> Bool {
        HMACSHA256.isValid(mark, for: octets, key: self.markingKey)
    }

    private var markingKey: SymmetricKey {
        HMACSHA256.derivedKey(from: self.key, purpose: "gatepost audit seal")
    }

    private static func purpose(_ account: AccountID) -> [UInt8] {
        Array("gatepost upstream credential \(account.rawValue)".utf8)
    }
}

extension UpstreamCredential {
    /// - Throws: where a part is not legal (``UpstreamCredential/isLegal``).
    package init(user username: String, proof: Proof) throws {
        self.init(username: Array(username.utf8), proof: proof)
        guard self.isLegal else {
            throw StoreError.unusable(
                "what the gateway would log in with is empty, or has control characters in it: set "
                    + "the account's user and password anew (gatepost account set)"
            )
        }
    }
}
