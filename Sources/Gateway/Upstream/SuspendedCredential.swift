import Access
package import Store

/// A stored credential that a running gateway does not use for now, because a mail server refused
/// it.
package struct SuspendedCredential: Codable, Equatable, Sendable {
    /// The account's number in the store.
    package var account: Int64
    /// Its primary address.
    package var address: String
    package var service: CredentialService
    /// The server, and the version of the credential, that are suspended.
    package var server: UpstreamAccount.Server
    /// Consecutive refusals.
    package var refusals: Int
    /// Seconds until the suspension ends.
    package var seconds: Int64
}
