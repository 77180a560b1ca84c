package import Access
package import IMAP

package import struct NIOCore.ByteBuffer

/// One effect a session asks for; performed in order by whoever holds the channels.
package enum Action: Equatable, Sendable {
    case toClient(ByteBuffer)
    case toUpstream(AccountID, ByteBuffer)
    /// Connect to an account's server and log in, then `upstreamReady` or `upstreamFailed`.
    case openUpstream(AccountID)
    /// Log why a connection that had been good is dropped.
    case upstreamFailed(AccountID, UpstreamLoginFailure)
    /// Log a line of an account's server that cannot be read.
    case lineUnreadable(AccountID, UnreadableLine)
    /// Forget what was learnt of an account's server: it says otherwise now.
    case forgetProfile(AccountID)
    /// Log what an account's server refused, and why.
    case serverRefused(AccountID, ServerRefusal)
    /// Leave an account's server alone for so many milliseconds: it asked for that.
    case pauseUpstream(AccountID, milliseconds: Int)
    /// Drop a connection; nothing is heard of it any more.
    case closeUpstream(AccountID)
    /// Read nothing more of a server, which was told to close the connection, and write in the
    /// journal once it has.
    case leaveUpstream(AccountID, then: JournalRequest)
    /// Check a password off the loop, then `authenticationFinished`.
    case authenticate(Credentials)
    /// Put TLS under the client's connection, then `tlsEstablished`.
    case startTLS
    /// Look up what is known of the folders of these accounts, then `foldersLookedUp`.
    case lookUpFolders([FolderListKey])
    /// Keep what an account's server listed. A list from before a change of folders is not current.
    case keepFolders(FolderListKey, KnownFolders, generation: UInt64)
    /// Ask an account's server for its folders, without the session.
    case refreshFolders(AccountID)
    /// Folders were made or removed in an account.
    case foldersChanged(AccountID)
    /// Call `waitingTimePassed` in a moment; a later one takes the place of an earlier one.
    case limitWaiting
    /// Remember that an account's server does not answer, and ask it without the session.
    case serverStalled(AccountID)
    /// Read what the user decided about subscriptions, then `subscriptionsLoaded`.
    case loadSubscriptions(UserID)
    /// Record what the user decided about one folder, then `subscriptionChanged`.
    case changeSubscription(SubscriptionChange)
    /// Put this in the audit log.
    case audit(AuditEvent)
    /// Change who may do what in a mailbox, then `aclChanged`.
    case changeACL(ACLChange)
    /// Call `revocationDue` in a moment.
    case revokeLater
    /// Write in the journal of transfers, then `journalAnswered`.
    case journal(JournalRequest)
    /// Call `reportDue` in a while.
    case reportLater
    /// Call `pollDue` in a while; a later one takes the place of an earlier one.
    case pollLater
    /// Call `resumeReading` in a later turn of the event loop, when the client takes answers.
    case readLater
    case closeClient
}

/// Why an account's server cannot be used now.
package enum UpstreamFault: Error, Equatable, Sendable {
    case unreachable
    case credentialRefused
    /// A server refused the credential a while ago, and is not asked again yet.
    case credentialSuspended
    /// The server ended logins without an answer a moment ago, and is not asked again yet.
    case serverUnanswering
    case notTrusted
    case protocolViolation
    case lost
    case noCredential
    /// The server took the credential, and has no mailbox for it.
    case noMailbox
}

extension Action: ClientBound {
    package var octetsToClient: ByteBuffer? {
        guard case .toClient(let octets) = self else { return nil }
        return octets
    }
}

extension ClientSession {
    package mutating func takeActions(into taken: inout [Action]) {
        self.actions.take(into: &taken)
    }
}
