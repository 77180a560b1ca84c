import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A LIST or LSUB on its way.
///
/// Each server is asked for all its folders with a fixed pattern; what the user may not look up is
/// left out, and only then the client's pattern is matched, attributes are worked out anew from
/// what is left, and the lines are written. So no pattern, reference or option can reach a folder
/// that a grant does not (RFC 9051 §11.5).
final class Listing: RunningCommand {
    let tag: ByteBuffer
    let request: ListRequest
    /// One for each account that a pattern may reach, in the order in which they are shown.
    private(set) var parts: [ListingPart] = []
    /// What the user decided about subscriptions, once it is read from the store.
    private(set) var choices: SubscriptionChoices?
    /// Of the responses of all servers so far, with what folders cost besides.
    private var octets = 0
    /// What is being written, once every server has answered.
    private var answer: ListAnswer?

    init(tag: ByteBuffer, request: ListRequest) {
        self.tag = tag
        self.request = request
    }

    private var isComplete: Bool {
        (self.choices != nil || !self.request.needsSubscriptions)
            && self.parts.allSatisfy(\.isDone)
    }

    func part(of account: AccountID) -> ListingPart? {
        self.parts.first { $0.account == account }
    }

    /// Asks what is known of the folders of each account that a pattern reaches.
    func begin(in context: inout some CommandContext) {
        self.parts = context.namespace.views.filter(self.request.mayMatch)
            .map { ListingPart(view: $0) }
        self.lookUpFolders(in: &context)
        if self.request.needsSubscriptions, let user = context.user {
            context.perform(.loadSubscriptions(user))
        }
        self.complete(in: &context)
    }

    func received(
        _ event: UpstreamEvent,
        from account: AccountID,
        in context: inout some CommandContext
    ) throws(SyntaxError) -> Bool {
        switch event {
        case .continued:
            guard let part = self.part(of: account), !part.segments.isEmpty else { return false }
            context.send(part.segments.removeFirst(), to: account)
        case .completed(let completion):
            self.completed(completion.condition, by: account, in: &context)
        case .ready:
            self.ask(account, in: &context)
        case .untagged(.list(let list, let octets, let isLsub)):
            try self.count(octets: octets, from: account)
            self.listed(list, isLsub: isLsub, by: account, in: &context)
        case .untagged(.counts(let status, let folder)):
            return try self.statusReceived(status, of: folder, from: account, in: &context)
        case .lost:
            if let part = self.part(of: account), part.step != .lookingUp, !part.isDone {
                self.giveUp(part, in: &context)
            }
            self.complete(in: &context)
        case .untagged:
            return false
        }
        return true
    }

    /// Counts what a listing holds of a server's responses, and leaves a server that sends too much.
    func count(octets: Int, from account: AccountID) throws(SyntaxError) {
        self.octets += octets + ListLimits.octetsOfFolder
        let part = self.part(of: account)
        part?.octets += octets
        guard self.octets <= ListLimits.octets, part?.octets ?? 0 <= ListLimits.octetsOfServer
        else { throw SyntaxError(.lineTooLong, at: octets) }
    }

    // MARK: - Subscriptions

    /// The user's decisions about subscriptions; nil where the store cannot be read.
    ///
    /// - Returns: whether the listing waits for them.
    func subscriptionsLoaded(
        _ choices: SubscriptionChoices?,
        in context: inout some CommandContext
    ) -> Bool {
        guard self.request.needsSubscriptions, self.choices == nil else { return false }
        guard let choices else {
            context.finish(self.tag, text: .unavailable)
            return true
        }
        self.choices = choices
        self.listUnsubscribedAccounts(choices, in: &context)
        self.complete(in: &context)
        return true
    }

    /// Asks the servers of accounts that no pattern reaches into, but whose own names are shown if any folder
    /// below is subscribed: where the user unsubscribed from some, only the list of folders tells whether
    /// others are left.
    private func listUnsubscribedAccounts(
        _ choices: SubscriptionChoices,
        in context: inout some CommandContext
    ) {
        guard self.request.reportsSubscribedBelow else { return }
        let asked = Set(self.parts.map(\.account))
        let namespace = context.namespace
        let views = choices.accounts.filter { account, known in
            !asked.contains(account) && known.hasUnsubscribed && known.subscribed.isEmpty
        }.keys.sorted().compactMap(namespace.view(of:))
            .filter { context.subscriptionBase(of: $0) == .every }
        guard !views.isEmpty else { return }
        self.parts += views.map { ListingPart(view: $0, isBelowPatterns: true) }
        self.lookUpFolders(in: &context)
    }

    // MARK: - The answer

    /// Begins to write the lines once every account has answered or failed. A failed one costs its own
    /// folders only, and the client is told; where nothing else was asked for, the answer is `NO`.
    func complete(in context: inout some CommandContext) {
        guard self.answer == nil, self.isComplete else { return }
        let reached = self.parts.filter { !$0.isBelowPatterns }
        if !reached.isEmpty, reached.allSatisfy({ $0.step == .failed }) {
            return context.finish(self.tag, text: .unavailable)
        }
        self.answer = ListAnswer(
            self.request,
            parts: self.parts,
            choices: self.choices ?? SubscriptionChoices(),
            views: context.namespace.views
        )
        self.resume(in: &context)
    }

    /// Goes on with a LIST that yielded the loop: with its lines, or with looking for the next folder
    /// to be counted.
    func resume(in context: inout some CommandContext) {
        guard let answer = self.answer else { return self.resumeCounting(in: &context) }
        // A server's response that has passed in part goes on first; its end brings the session here.
        guard context.passing == nil else { return }
        guard answer.advance(in: &context) else { return context.yieldLoop() }
        guard !answer.isTooLarge else { return context.finish(self.tag, text: .unavailable) }
        if self.parts.contains(where: { $0.step == .failed }) {
            context.emit(Reply.untagged(.someUnavailable))
        } else if self.parts.contains(where: \.isOutdated) {
            context.emit(Reply.untagged(.someOutdated))
        }
        context.finish(self.tag, text: .completed(self.request.isLsub ? "LSUB" : "LIST"))
    }

    /// A client has waited long enough for servers that do not answer.
    func waitingTimePassed(in context: inout some CommandContext) {
        for part in self.parts { self.leaveIfStalled(part, in: &context) }
        if !self.isComplete { context.perform(.limitWaiting) }
        self.complete(in: &context)
    }

    /// What is known was looked up: servers are asked for the rest.
    func foldersLookedUp(
        _ known: [FolderListKey: FolderKnowledge],
        in context: inout some CommandContext
    ) {
        for part in self.parts where part.step == .lookingUp {
            self.lookedUp(known, part: part, in: &context)
        }
        if !self.isComplete { context.perform(.limitWaiting) }
        self.complete(in: &context)
    }

    func permissionsChanged(in context: inout some CommandContext) {
        self.answer?.permissionsChanged(in: &context)
    }
}
