import Access
import NIOCore
import Synchronization

/// A login whose password check runs or waits. The client's connection cancels it when it closes.
///
/// Safe to use from any thread.
final class PendingLogin: Sendable {
    /// The answer to a correct password: the user, or a refusal because of the account that the
    /// login name selects.
    let whenRight: AuthenticationResult
    /// Where a failure is counted.
    let slots: [LoginFailures.Slot]
    let network: Network
    /// The audit record of a refusal.
    let record: AuditRecord
    /// How long a refusal takes at least, from the arrival of the login. It hides how long a server
    /// took to refuse, and that it was not asked.
    let shortestRefusal: TimeAmount
    /// When the login began to wait.
    let since: NIODeadline
    /// The event loop of the client's connection.
    private let loop: any EventLoop
    /// Called on ``loop``, at most once.
    private let answer: @Sendable (AuthenticationResult) -> Void
    /// What the verdict was about, and what ends the session; nil before it.
    private let decision = Mutex<(subject: [UInt8], end: LoginEnd)?>(nil)
    /// Whether the login was answered or cancelled.
    private let isOver = Atomic(false)

    /// - Parameters:
    ///   - whenRight: the answer to a correct password.
    ///   - slots: where a failure is counted.
    ///   - record: the audit record of a refusal.
    ///   - shortestRefusal: how long a refusal takes at least.
    ///   - since: when the login began to wait.
    ///   - answer: called on `loop`, at most once.
    init(
        whenRight: AuthenticationResult,
        slots: [LoginFailures.Slot],
        network: Network,
        record: AuditRecord,
        shortestRefusal: TimeAmount = .zero,
        since: NIODeadline = .now(),
        loop: any EventLoop,
        answer: @escaping @Sendable (AuthenticationResult) -> Void
    ) {
        self.whenRight = whenRight
        self.slots = slots
        self.network = network
        self.record = record
        self.shortestRefusal = shortestRefusal
        self.since = since
        self.loop = loop
        self.answer = answer
    }

    /// Notes what the verdict is about, before the answer.
    func decided(by subject: [UInt8], end: LoginEnd) {
        self.decision.withLock { $0 = (subject, end) }
    }

    /// What the verdict was about (``SourceCheck/subject``); nil before it.
    var subject: [UInt8]? { self.decision.withLock { $0?.subject } }
    /// What ends the session.
    var end: LoginEnd { self.decision.withLock { $0?.end ?? .none } }

    /// Answers on the event loop, once. A cancelled login is not answered.
    /// - Parameter delay: how long the answer waits.
    func finish(_ answer: AuthenticationResult, in delay: TimeAmount = .zero) {
        let tell: @Sendable () -> Void = {
            guard !self.isOver.exchange(true, ordering: .relaxed) else { return }
            self.answer(answer)
        }
        if delay == .zero {
            self.loop.execute(tell)
        } else {
            self.loop.scheduleTask(in: delay, tell)
        }
    }

    /// Whether the login was cancelled, or was answered already.
    var isCancelled: Bool { self.isOver.load(ordering: .relaxed) }

    /// The client has closed its connection: no answer follows.
    func cancel() {
        self.isOver.store(true, ordering: .relaxed)
    }
}
