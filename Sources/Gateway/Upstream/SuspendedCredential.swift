import Access
package import Store

/// A stored credential that a running gateway does not try for now, because a mail server refused it.
package struct SuspendedCredential: Codable, Equatable, Sendable {
    /// The account's number in the store.
    package var account: Int64
    /// Its primary address.
    package var address: String
    package var service: CredentialService
    /// The server and the version of the credential that rest.
    package var server: UpstreamAccount.Server
    /// Refusals without a success between them.
    package var refusals: Int
    /// Until it is tried again.
    package var seconds: Int64
}
