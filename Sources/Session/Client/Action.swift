package import Access
package import IMAP

package import struct NIOCore.ByteBuffer

/// An effect that an IMAP session requests. The owner of the channels performs the actions in
/// order. Where an action has a result, the owner reports it by calling the session method that the
/// case names.
package enum Action: Equatable, Sendable {
    /// Write octets to the client.
    case toClient(ByteBuffer)
    /// Write octets to the server of an account.
    case toUpstream(AccountID, ByteBuffer)
    /// Connect to the server of an account and log in; then call `upstreamReady` or
    /// `upstreamFailed`.
    case openUpstream(AccountID)
    /// Log why a connection that had worked is closed.
    case upstreamFailed(AccountID, UpstreamLoginFailure)
    /// Log a line of an account's server that the gateway cannot parse.
    case lineUnreadable(AccountID, UnreadableLine)
    /// Discard the stored profile of an account's server, because the server now contradicts it.
    case forgetProfile(AccountID)
    /// Log that an account's server refused a command, with its code and text.
    case serverRefused(AccountID, ServerRefusal)
    /// Open no connection to an account's server for this many milliseconds; the server asked for
    /// it.
    case pauseUpstream(AccountID, milliseconds: Int)
    /// Close the connection to an account's server, and report no further event of it.
    case closeUpstream(AccountID)
    /// Stop reading from a server that was told to close the connection. Send the request to the
    /// journal once the server has closed it.
    case leaveUpstream(AccountID, then: JournalRequest)
    /// Check a password off the event loop; then call `authenticationFinished`.
    case authenticate(Credentials)
    /// Start TLS on the client's connection; then call `tlsEstablished`.
    case startTLS
    /// Look up the cached folder lists of these accounts; then call `foldersLookedUp`.
    case lookUpFolders([FolderListKey])
    /// Cache the folders that an account's server listed. A list with an older `generation` than
    /// the account's present one is not current.
    case keepFolders(FolderListKey, KnownFolders, generation: UInt64)
    /// Ask an account's server for its folders outside of the session.
    case refreshFolders(AccountID)
    /// Record that folders of an account were created, renamed or deleted.
    case foldersChanged(AccountID)
    /// Start the timer for `waitingTimePassed`; a running one is replaced.
    case limitWaiting
    /// Record that an account's server does not answer, and ask it for its folders outside of the
    /// session.
    case serverStalled(AccountID)
    /// Read the subscription choices of the user from the store; then call `subscriptionsLoaded`.
    case loadSubscriptions(UserID)
    /// Store the user's choice about one folder; then call `subscriptionChanged`.
    case changeSubscription(SubscriptionChange)
    /// Write an event to the audit log.
    case audit(AuditEvent)
    /// Change the grants on a mailbox in the store; then call `aclChanged`.
    case changeACL(ACLChange)
    /// Start the timer for `revocationDue`.
    case revokeLater
    /// Send a request to the journal of transfers; then call `journalAnswered`.
    case journal(JournalRequest)
    /// Start the timer for `reportDue`.
    case reportLater
    /// Start the timer for `pollDue`; a running one is replaced.
    case pollLater
    /// Call `resumeReading` in a later turn of the event loop, once the client's socket accepts
    /// octets.
    case readLater
    /// Close the client's connection after everything before it was written.
    case closeClient
}

/// The reason why the server of an account cannot be used now.
package enum UpstreamFault: Error, Equatable, Sendable {
    /// The connection could not be established.
    case unreachable
    /// The server refused the gateway's credential at login.
    case credentialRefused
    /// The server refused the credential recently, and the gateway does not try again yet.
    case credentialSuspended
    /// The server recently closed connections without an answer to the login, and the gateway does
    /// not try again yet.
    case serverUnanswering
    /// The server's certificate is not trusted.
    case notTrusted
    /// The server sent what the protocol does not allow.
    case protocolViolation
    /// The gateway has no credential for the account.
    case noCredential
    /// The server accepted the credential, but has no mailbox for it.
    case noMailbox
    /// There is no usable credential until the owner of the account logs in.
    case awaitsOwner
}

extension Action: ClientBound {
    package var octetsToClient: ByteBuffer? {
        guard case .toClient(let octets) = self else { return nil }
        return octets
    }
}

extension ClientSession {
    /// Moves the actions since the last call, in order, into `taken`.
    package mutating func takeActions(into taken: inout [Action]) {
        self.actions.take(into: &taken)
    }
}
