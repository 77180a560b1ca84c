import Access
import IMAP

import struct NIOCore.ByteBuffer

/// What the audit log has of a session: which shared mailboxes were opened and changed, how much of
/// them was read, and each refusal. What owners do in their own mailboxes is their own.
extension ClientSession {
    /// Octets of a name that are kept of a mailbox that is not there, or not for this user.
    private static let maximumNameOctets = 255
    /// Reasons that a record gives: a user may be in hundreds of groups that each have a grant.
    private static let maximumReasons = 16

    /// What the log will have of a command, once it is answered.
    struct Auditing {
        var event: AuditEvent
        /// Whether it is recorded when it is carried out, too.
        var isRecordedWhenAllowed: Bool
    }

    /// Messages of a shared mailbox whose text has passed since it was selected.
    struct Reading {
        var place: AuditEvent.Place
        /// Why it could be read when it was.
        var because: [String]
        var count = 0
    }

    // MARK: - The command that runs

    /// A command begins: what the log will have of it, once it is answered.
    ///
    /// - Parameter audited: from the command's row of the table.
    mutating func auditBegan(_ audited: AuditedCommand?) {
        self.auditing = nil
        guard let audited else { return }
        var places = audited.mailboxes.map { self.auditPlace($0) }
        if audited.isOnSelected {
            guard let selected = self.selected else { return }
            let place = AuditEvent.Place(account: selected.account, folder: selected.folder)
            places.insert(.known(place), at: 0)
        }
        self.auditBegan(audited, places: places)
    }

    private enum AuditPlace {
        case known(AuditEvent.Place)
        /// Whose name has no place in any account in sight; the account is for the log alone.
        case nowhere(ClientMailbox, AccountID?)
    }

    private func auditPlace(_ mailbox: ClientMailbox) -> AuditPlace {
        guard let name = mailbox.name else { return .nowhere(mailbox, nil) }
        if case .folder(let account, let folder) = self.namespace.place(of: name) {
            return .known(AuditEvent.Place(account: account, folder: folder))
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

    private mutating func auditBegan(_ audited: AuditedCommand, places: [AuditPlace]) {
        var event = AuditEvent(audited.name)
        var known: [AuditEvent.Place] = []
        var hidden: AuditEvent.Place?
        for place in places {
            switch place {
            case .known(let place):
                known.append(place)
            case .nowhere(let mailbox, let account):
                if let account { hidden = AuditEvent.Place(account: account) }
                let octets = mailbox.wire.readableBytesView.prefix(Self.maximumNameOctets)
                event.detail.append("mailbox \(String(decoding: octets, as: UTF8.self))")
            }
        }
        let areOwn = known.allSatisfy { self.access(to: $0.account).isOwner }
        guard !areOwn || !event.detail.isEmpty else { return }
        event.place = known.first ?? hidden
        event.target = known.count > 1 ? known[1] : known.isEmpty ? nil : hidden
        event.because = self.auditReasons([event.place, event.target].compactMap { $0 })
        self.auditing = Auditing(
            event: event,
            isRecordedWhenAllowed: audited.isRecordedWhenAllowed
        )
    }

    /// The command that runs is answered.
    mutating func auditAnswered(_ text: ReplyText) {
        guard let auditing = self.auditing else { return }
        self.auditing = nil
        guard let outcome = text.auditOutcome else { return }
        var event = auditing.event
        event.outcome = outcome
        guard outcome == .refused || auditing.isRecordedWhenAllowed else { return }
        // What the server does not have is no refusal by anybody.
        if text == .noSuchMailbox, event.detail.isEmpty, self.seesAll(of: event) { return }
        self.actions.append(.audit(event))
    }

    private mutating func seesAll(of event: AuditEvent) -> Bool {
        [event.place, event.target].compactMap { $0 }.allSatisfy { place in
            guard let folder = place.folder else { return true }
            return self.access(to: place.account).rights(in: folder).contains(.lookup)
        }
    }

    /// The session ends while a command runs: what its server makes of it nobody hears.
    mutating func auditEnded() {
        self.auditReadingEnded()
        guard let auditing = self.auditing else { return }
        self.auditing = nil
        guard self.isAtServer, auditing.isRecordedWhenAllowed else { return }
        var event = auditing.event
        event.detail.append("the session ended before the answer")
        self.actions.append(.audit(event))
    }

    /// Whether a server may carry out the command that runs, whatever becomes of the session.
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

    /// Why the user may, or may not, at the moment of the decision.
    private func auditReasons(_ places: [AuditEvent.Place]) -> [String] {
        var reasons: [String] = []
        for place in places {
            let verdict = self.snapshot.verdict(
                user: self.user,
                account: place.account,
                folder: place.folder,
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

    /// The first piece of a FETCH response passes from a server: is there text of a message in it?
    mutating func auditFetched(_ piece: ResponseReader.Piece, from account: AccountID) {
        guard let folder = self.folderInSight(of: account), !self.access(to: account).isOwner
        else { return }
        // Text comes as a literal; what is short may come quoted, where text was asked for.
        var hasText = !piece.isLast
        if case .forwarding(let forwarding) = self.running, let asksText = forwarding.fetchesText {
            guard asksText else { return }
            hasText = hasText || piece.octets.readableBytesView.contains(UInt8(ascii: "\""))
        }
        guard hasText else { return }
        let place = AuditEvent.Place(account: account, folder: folder)
        if self.reading?.place != place {
            self.auditReadingEnded()
            self.reading = Reading(place: place, because: self.auditReasons([place]))
        }
        self.reading?.count += 1
    }

    /// Whose messages the server sends: until it has opened another mailbox, the last one's.
    private func folderInSight(of account: AccountID) -> FolderPath? {
        if case .selecting(let selecting) = self.running, selecting.account == account {
            return selecting.left ?? selecting.folder
        }
        return self.selected.flatMap { $0.account == account ? $0.folder : nil }
    }

    /// The mailbox is left, or a minute is over: what was read of it is summed up.
    package mutating func auditReadingEnded() {
        guard let reading = self.reading else { return }
        self.reading = nil
        var event = AuditEvent("fetch")
        event.place = reading.place
        event.because = reading.because
        event.count = reading.count
        self.actions.append(.audit(event))
    }
}

extension ReplyText {
    /// What the log has of a command with this answer; nil where nobody decided.
    fileprivate var auditOutcome: AuditRecord.Outcome? {
        switch self {
        case .completed, .selected, .movedWithMarks, .movedLater, .partlyCopied,
            .partlyStored:
            .allowed
        case .noSuchMailbox, .notPermitted, .cannotAcrossAccounts, .cannotChangeACL,
            .cannotGrantRight, .cannotChangeInbox:
            .refused
        case .unavailable, .undoneLater, .contactAdministrator, .credentialSuspended,
            .serverUnanswering:
            .failed
        case .loggedIn, .beginTLS, .status, .closed, .someUnavailable, .someOutdated, .noUpdate,
            .answerUnreadable, .passwordCheckOverloaded, .tooManyConnectionsOfUser,
            .authenticationFailed, .authorizationFailed, .privacyRequired, .unknownMechanism,
            .badCharset, .refusedByServer, .refusedWithWords, .tryCreate, .noSuchMessage,
            .expungedMeanwhile, .tooBig, .tooManyParts, .tooManyMessages, .tooManySubscriptions,
            .tooManyUnsubscriptions, .tooManyWatched, .tooManyGrants, .inUse, .cannotOnThisServer,
            .lacking, .tooManyResults, .cannotHaveName, .noSuchIdentifier, .grantedElsewhere,
            .badEvent, .badSyntax, .badUnknownCommand, .badState, .badForServer, .badNoModSeq,
            .badNotEnabled, .bye:
            nil
        }
    }
}
