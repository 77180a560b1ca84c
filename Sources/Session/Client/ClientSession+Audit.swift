import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The audit events of a session: which shared mailboxes the user opened and changed, how many
/// messages the user read there, and each refusal. What an owner does in the own mailboxes is not
/// recorded.
extension ClientSession {
    /// Octets of an unknown mailbox name that the log keeps. The client chooses the name, and could
    /// fill the log with it.
    private static let maximumNameOctets = 255
    /// Reasons that one record lists. A user may be in hundreds of groups that each have a grant.
    private static let maximumReasons = 16

    /// The event of the running command. It is recorded once the command is answered.
    struct Auditing {
        var event: AuditEvent
        /// Whether a permitted command is recorded too, and not only a refused one.
        var isRecordedWhenAllowed: Bool
    }

    /// Counts messages of the open shared mailbox whose text was sent to the client.
    struct Reading {
        var mailbox: AuditEvent.MailboxReference
        /// The grants that permitted the reading when it began.
        var because: [String]
        var count = 0
    }

    // MARK: - The command that runs

    /// Prepares the event of a command that begins.
    ///
    /// - Parameter audited: from the command's row of the table; nil for a command without an
    ///   event.
    mutating func auditBegan(_ audited: AuditedCommand?) {
        self.auditing = nil
        guard let audited else { return }
        var mailboxes = audited.mailboxes.map { self.auditMailbox($0) }
        if audited.isOnSelected {
            guard let selected = self.selected else { return }
            let mailbox = AuditEvent.MailboxReference(
                account: selected.account,
                folder: selected.folder
            )
            mailboxes.insert(.known(mailbox), at: 0)
        }
        self.auditBegan(audited, mailboxes: mailboxes)
    }

    /// The mailbox of a command, as the log describes it.
    private enum AuditMailbox {
        case known(AuditEvent.MailboxReference)
        /// A name that resolves to no visible account. The account is known to the log alone, and
        /// never to the client.
        case nowhere(ClientMailbox, AccountID?)
    }

    /// Resolves the name of a mailbox for the log, including accounts that the user cannot see.
    private func auditMailbox(_ mailbox: ClientMailbox) -> AuditMailbox {
        guard let name = mailbox.name else { return .nowhere(mailbox, nil) }
        if case .folder(let account, let folder) = self.namespace.resolve(name) {
            return .known(AuditEvent.MailboxReference(account: account, folder: folder))
        }
        let parts = name.octets.split(
            separator: Namespace.delimiter,
            maxSplits: 2,
            omittingEmptySubsequences: false
        )
        guard Namespace.isReserved(name.octets), parts.count > 1 else {
            return .nowhere(mailbox, nil)
        }
        let account = Address(parts[1]).flatMap { self.snapshot.account(address: $0) }
        return .nowhere(mailbox, account?.id)
    }

    /// Builds the event. There is none if every mailbox belongs to an account that the user owns.
    private mutating func auditBegan(_ audited: AuditedCommand, mailboxes: [AuditMailbox]) {
        var event = AuditEvent(audited.name)
        var known: [AuditEvent.MailboxReference] = []
        var hidden: AuditEvent.MailboxReference?
        for mailbox in mailboxes {
            switch mailbox {
            case .known(let mailbox):
                known.append(mailbox)
            case .nowhere(let mailbox, let account):
                if let account { hidden = AuditEvent.MailboxReference(account: account) }
                let octets = mailbox.wire.readableBytesView.prefix(Self.maximumNameOctets)
                event.detail.append("mailbox \(String(decoding: octets, as: UTF8.self))")
            }
        }
        let areOwn = known.allSatisfy { self.access(to: $0.account).isOwner }
        guard !areOwn || !event.detail.isEmpty else { return }
        event.mailbox = known.first ?? hidden
        event.target = known.count > 1 ? known[1] : known.isEmpty ? nil : hidden
        event.because = self.auditReasons([event.mailbox, event.target].compactMap { $0 })
        self.auditing = Auditing(
            event: event,
            isRecordedWhenAllowed: audited.isRecordedWhenAllowed
        )
    }

    /// Records the event of the running command, if its answer is a decision of the gateway.
    mutating func auditAnswered(_ text: ReplyText) {
        guard let auditing = self.auditing else { return }
        self.auditing = nil
        guard let outcome = text.auditOutcome else { return }
        var event = auditing.event
        event.outcome = outcome
        guard outcome == .refused || auditing.isRecordedWhenAllowed else { return }
        // A user who may see the folder learns only that the server lacks it: nothing was refused.
        if text == .noSuchMailbox, event.detail.isEmpty, self.seesAll(of: event) { return }
        self.actions.append(.audit(event))
    }

    /// Whether the user has the right `l` on every folder of the event.
    private mutating func seesAll(of event: AuditEvent) -> Bool {
        [event.mailbox, event.target].compactMap { $0 }.allSatisfy { mailbox in
            guard let folder = mailbox.folder else { return true }
            return self.access(to: mailbox.account).rights(in: folder).contains(.lookup)
        }
    }

    /// The session ends while a command runs. If the command is at a server, the server may still
    /// complete it, and the event says that its result is unknown.
    mutating func auditEnded() {
        self.auditReadingEnded()
        guard let auditing = self.auditing else { return }
        self.auditing = nil
        guard self.isAtServer, auditing.isRecordedWhenAllowed else { return }
        var event = auditing.event
        event.detail.append("the session ended before the answer")
        self.actions.append(.audit(event))
    }

    /// Whether a server may complete the running command after the session has ended.
    private var isAtServer: Bool {
        switch self.running {
        case .forwarding, .selecting, .appending, .transferring:
            true
        case .nothing, .authenticating, .awaitingSASLResponse, .negotiatingTLS,
            .discoveringCapabilities, .preparing, .listing, .idling, .subscribing, .changingACL,
            .notifying, .ended:
            false
        }
    }

    /// The grants that decide at this moment, as text: why the user may, or may not.
    private func auditReasons(_ mailboxes: [AuditEvent.MailboxReference]) -> [String] {
        var reasons: [String] = []
        for mailbox in mailboxes {
            let verdict = self.snapshot.verdict(
                user: self.user,
                account: mailbox.account,
                folder: mailbox.folder,
                at: self.now
            )
            for text in verdict.because.lazy.map(self.snapshot.text(of:)) {
                guard reasons.count < Self.maximumReasons else { return reasons + ["and more"] }
                if !reasons.contains(text) { reasons.append(text) }
            }
        }
        return reasons
    }

    // MARK: - Reading

    /// Counts a FETCH response of a shared mailbox if it contains text of a message.
    ///
    /// - Parameter piece: the first piece of the response.
    mutating func auditFetched(_ piece: ResponseReader.Piece, from account: AccountID) {
        guard let folder = self.openFolder(of: account), !self.access(to: account).isOwner
        else { return }
        // Servers send text as a literal, or, if it is short, as a quoted string. A quoted string
        // counts only if the client asked for text.
        var hasText = !piece.isLast
        if case .forwarding(let forwarding) = self.running, let asksText = forwarding.fetchesText {
            guard asksText else { return }
            hasText = hasText || piece.octets.readableBytesView.contains(UInt8(ascii: "\""))
        }
        guard hasText else { return }
        let mailbox = AuditEvent.MailboxReference(account: account, folder: folder)
        if self.reading?.mailbox != mailbox {
            self.auditReadingEnded()
            self.reading = Reading(mailbox: mailbox, because: self.auditReasons([mailbox]))
        }
        self.reading?.count += 1
    }

    /// The folder whose messages an account's server sends. During SELECT that is still the
    /// previous mailbox, until the server has opened the new one.
    private func openFolder(of account: AccountID) -> FolderPath? {
        if case .selecting(let selecting) = self.running, selecting.account == account {
            return selecting.left ?? selecting.folder
        }
        return self.selected.flatMap { $0.account == account ? $0.folder : nil }
    }

    /// Records how many messages were read since the last record. The session calls it when the
    /// mailbox is left, and the gateway once a minute.
    package mutating func auditReadingEnded() {
        guard let reading = self.reading else { return }
        self.reading = nil
        var event = AuditEvent("fetch")
        event.mailbox = reading.mailbox
        event.because = reading.because
        event.count = reading.count
        self.actions.append(.audit(event))
    }
}

extension ReplyText {
    /// The outcome in the audit log of a command with this answer; nil if the answer is no decision
    /// about permissions.
    fileprivate var auditOutcome: AuditRecord.Outcome? {
        switch self {
        case .completed, .selected, .movedWithMarks, .movedLater, .partlyCopied,
            .partlyStored:
            .allowed
        case .noSuchMailbox, .notPermitted, .cannotAcrossAccounts, .cannotChangeACL,
            .cannotGrantRight, .cannotChangeInbox:
            .refused
        case .unavailable, .undoneLater, .contactAdministrator, .awaitsOwner, .credentialSuspended,
            .serverUnanswering:
            .failed
        case .loggedIn, .beginTLS, .status, .closed, .someUnavailable, .someOutdated, .noUpdate,
            .answerUnreadable, .passwordCheckOverloaded, .passwordCheckUnavailable,
            .tooManyConnectionsOfUser,
            .authenticationFailed, .authorizationFailed, .privacyRequired, .unknownMechanism,
            .badCharset, .refusedByServer, .refusedWithText, .tryCreate, .noSuchMessage,
            .expungedMeanwhile, .tooBig, .tooManyParts, .tooManyMessages, .tooManySubscriptions,
            .tooManyUnsubscriptions, .tooManyWatched, .tooManyGrants, .inUse, .cannotOnThisServer,
            .lacking, .tooManyResults, .cannotHaveName, .noSuchIdentifier, .grantedElsewhere,
            .badEvent, .badSyntax, .badUnknownCommand, .badState, .badForServer, .badNoModSeq,
            .badNotEnabled, .bye:
            nil
        }
    }
}
