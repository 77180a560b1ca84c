package import Access
import IMAP

import struct NIOCore.ByteBuffer

/// COPY and MOVE to another account: how they begin, and what may happen in between. Each message's
/// way is in `ClientSession+TransferMessages`, the journal and the end in
/// `ClientSession+TransferEnd`.
extension ClientSession {
    /// Whether messages pass between two servers: the session is not idle, however silent its
    /// client is.
    package var isTransferring: Bool {
        if case .transferring = self.running { return true }
        return false
    }

    /// The account whose server has to take what this one's sends, if messages pass from it.
    package func transferDestination(from account: AccountID) -> AccountID? {
        guard case .transferring(let transferring) = self.running,
            transferring.plan.source == account, !transferring.plan.isLocal
        else { return nil }
        return transferring.plan.target
    }

    /// Whether the next octets of this account's server are wanted now.
    package func wantsOctets(from account: AccountID) -> Bool {
        guard !(self.upstreams[account]?.isReadDeferred ?? false) else { return false }
        guard case .transferring(let transferring) = self.running else { return true }
        return transferring.plan.source != account || !transferring.isSourcePaused
    }

    // MARK: - What happens in between

    /// A command of the transfer is answered.
    mutating func transferAnswered(
        _ transferring: Transferring,
        by account: AccountID,
        condition: Condition,
        code: ResponseCode?
    ) {
        if account == transferring.plan.target,
            !transferring.plan.isLocal || transferring.isTargetAsked
        {
            return self.targetAnswered(transferring, condition: condition, code: code)
        }
        switch transferring.step {
        case .silencing:
            guard condition == .ok else {
                return self.conclude(transferring, answer: self.refusal(condition, code: code))
            }
            self.listSource(transferring)
        case .listing:
            self.sourceListed(transferring, condition: condition, code: code)
        case .fetching, .fetched:
            self.messageFetched(transferring, condition: condition, code: code)
        case .draining(let answer):
            self.fail(transferring, answer: answer)
        case .marking:
            self.sourceMarked(transferring, condition: condition, code: code)
        case .unmarking(let answer):
            // Where they stay marked, the move has to go on: the copies are all there are.
            guard condition == .ok else { return self.resolve(transferring, answer: answer) }
            self.unmarkNext(transferring, answer: answer)
        case .expunging:
            guard condition == .ok else {
                return self.conclude(transferring, answer: .movedWithMarks)
            }
            self.expungeNext(transferring)
        default:
            break
        }
    }

    private mutating func targetAnswered(
        _ transferring: Transferring,
        condition: Condition,
        code: ResponseCode?
    ) {
        switch transferring.step {
        case .selectingTarget, .askingUIDNext:
            self.targetSelected(transferring, condition: condition, code: code)
        case .lookingForTarget(let refusal):
            self.targetSought(transferring, refusal: refusal)
        default:
            self.appendAnswered(transferring, condition: condition, code: code)
        }
    }

    /// The time for a word to the client, so that a large move neither times out nor looks dead
    /// (RFC 9585).
    package mutating func reportDue(at now: Moment) {
        self.now = now
        guard case .transferring(let transferring) = self.running else { return }
        self.actions.append(.reportLater)
        self.emit(
            Reply.progress(
                tag: transferring.plan.tag,
                done: min(
                    transferring.progress.index,
                    max(transferring.listing.messages.count - 1, 0)
                ),
                of: transferring.listing.messages.count
            )
        )
    }

    /// One of the two servers is lost.
    mutating func transferUpstreamLost(
        _ transferring: Transferring,
        account: AccountID,
        answer: ReplyText
    ) {
        switch transferring.step {
        case .marking, .unmarking, .expunging:
            // The target is not needed any more; the source's part is done by other means.
            guard account == transferring.plan.source else { return }
            self.resolve(transferring, answer: answer)
        case .recording:
            // The journal answers first.
            transferring.journal.lostAnswer = answer
        case .recordingAppend:
            // An incomplete command stores nothing; the journal answers first.
            self.drop(transferring.plan.target)
            transferring.journal.lostAnswer = answer
        case .recordingCopied, .forgetting, .resolving:
            // What the journal answers leads on.
            break
        case .draining(let first):
            if account == transferring.plan.source { self.fail(transferring, answer: first) }
        case .silencing, .listing, .fetching, .announcing, .streaming, .fetched:
            if account == transferring.plan.source {
                // An incomplete command stores nothing.
                self.drop(transferring.plan.target)
                return self.fail(transferring, answer: answer)
            }
            transferring.step = .draining(answer)
            self.readUpstream(transferring.plan.source)
        case .selectingTarget, .askingUIDNext, .lookingForTarget, .confirming:
            if account == transferring.plan.source { self.drop(transferring.plan.target) }
            self.fail(transferring, answer: answer)
        }
    }

    /// A transfer whose target takes no more messages of this user is cut, and is taken back.
    mutating func checkTransferring() -> AccountID? {
        guard case .transferring(let transferring) = self.running, !transferring.journal.isCopied
        else {
            return nil
        }
        let rights = self.rights(in: transferring.plan.targetFolder, of: transferring.plan.target)
        transferring.rights = rights
        return rights.contains([.insert, .lookup]) ? nil : transferring.plan.target
    }

    /// The client's connection ends: what the journal has is brought to its end without it.
    mutating func abandonTransfer() {
        guard case .transferring(let transferring) = self.running,
            let entry = transferring.journal.entry
        else { return }
        switch transferring.step {
        case .forgetting, .resolving:
            break
        case .recordingCopied:
            // Either state of the entry leads to a good end.
            self.actions.append(.journal(.resolve(entry, nil)))
        case .confirming:
            self.leaveConfirming(transferring, entry: entry)
        default:
            let standing = transferring.journal.standing
            self.actions.append(
                .journal(transferring.needsResolution ? .resolve(entry, standing) : .forget(entry))
            )
        }
    }

    /// The target has got a whole command and stores it, be its connection closed or not: it is
    /// left only when it has answered, because a look before that finds nothing.
    private mutating func leaveConfirming(_ transferring: Transferring, entry: Int64) {
        var encoder = self.encoder(for: transferring.plan.target)
        encoder.write(word: "LOGOUT")
        for segment in encoder.finish() {
            self.actions.append(.toUpstream(transferring.plan.target, segment))
        }
        self.upstreams[transferring.plan.target] = nil
        self.actions.append(
            .leaveUpstream(
                transferring.plan.target,
                then: .resolve(entry, transferring.journal.standing)
            )
        )
    }

    // MARK: - Commands

    mutating func sendToTarget(
        _ transferring: Transferring,
        write: (inout CommandEncoder) -> Void
    ) {
        var encoder = self.encoder(for: transferring.plan.target)
        write(&encoder)
        self.send(encoder.finish(), to: transferring.plan.target, transferring: transferring)
    }

    mutating func sendToSource(
        _ transferring: Transferring,
        write: (inout CommandEncoder) -> Void
    ) {
        var encoder = self.encoder(for: transferring.plan.source)
        write(&encoder)
        self.send(encoder.finish(), to: transferring.plan.source, transferring: transferring)
    }

    private mutating func send(
        _ segments: [ByteBuffer],
        to account: AccountID,
        transferring: Transferring
    ) {
        transferring.segments = segments
        transferring.segmentsAccount = account
        guard !segments.isEmpty else { return }
        self.actions.append(.toUpstream(account, transferring.segments.removeFirst()))
    }
}
