import Access
import Cryptography
import Foundation
import NIOCore
import SASL
import Synchronization

/// Asks other servers whether passwords are right, so that they are not asked too often: a server that
/// is locks the mailbox, or blocks the gateway's address. A wrong password is sent once, and
/// ``UpstreamAttempts`` limits how many are sent at all.
///
/// Safe to use from any thread.
final class PasswordQuestions: Sendable {
    /// Threads of a source that waits for servers.
    static let threads = 32
    /// The longest time of a question to a server: connecting, the login and the answers after it.
    static let longestQuestion = TimeAmount.seconds(30)
    /// The longest time of a check: the wait for an equal check, and the question.
    static let longestCheck = PasswordQuestions.longestQuestion + PasswordQuestions.longestQuestion
    /// How often a check that waits looks whether it may go on, in seconds.
    private static let waitingInterval = 0.05
    /// Checks of one mailbox that wait for others of the same mailbox. Each occupies a thread.
    fileprivate static let maximumWaiting = 2

    fileprivate struct State {
        var attempts = UpstreamAttempts()
        var servers = UpstreamServers()
        /// Checks that wait, by their mailbox.
        var waiting: [UpstreamAttempts.Target: Int] = [:]
    }

    private let state = Mutex(State())
    /// The key of the passwords that were sent: random, and only in the memory of this process.
    private let key = SymmetricKey()
    private let now: @Sendable () -> NIODeadline

    /// - Parameter now: the clock; a test replaces it.
    init(now: @escaping @Sendable () -> NIODeadline = { .now() }) {
        self.now = now
    }

    /// Asks a server about the password of a claim, unless it is known to be wrong, too many were wrong,
    /// or the server hangs. Blocks.
    /// - Parameters:
    ///   - server: the name of the server, for the log.
    ///   - subject: what the password belongs to (``SourceCheck/subject``).
    ///   - question: asks the server. Blocks for at most ``longestQuestion``.
    func ask(
        _ claim: LoginClaim,
        password: Secret<[UInt8]>,
        subject: [UInt8],
        server: String,
        question: () -> UpstreamAnswer
    ) -> SourceVerdict {
        let attempt = UpstreamAttempts.Attempt(
            target: UpstreamAttempts.Target(user: claim.user.id, server: subject),
            network: claim.network,
            isKnownNetwork: claim.isKnownNetwork,
            mark: HMACSHA256.code(for: password.value, key: self.key)
        )
        if let verdict = self.begin(attempt) { return verdict }
        return switch self.ask(server, attempt: attempt, question: question) {
        case .accepted: .verified()
        case .refused: .refused()
        case .unknown: .notMine
        case .unanswered(let reason), .notAsked(let reason), .undecided(let reason):
            .unavailable(reason: reason)
        }
    }

    /// Waits until the attempt may be made.
    /// - Returns: the verdict without a question to the server; nil if the server has to be asked.
    private func begin(_ attempt: UpstreamAttempts.Attempt) -> SourceVerdict? {
        let end = self.now() + Self.longestQuestion
        var isWaiting = false
        defer { if isWaiting { self.state.withLock { $0.leave(attempt.target) } } }
        while true {
            switch self.state.withLock({ $0.attempts.begin(attempt, at: self.now()) }) {
            case .permitted:
                return nil
            case .knownWrong:
                return .refused(detail: "the server refused this password before")
            case .tooMany:
                return .refused(
                    detail: "too many wrong passwords: the server was not asked"
                )
            case .unanswered:
                return .unavailable(reason: "the server did not answer other logins")
            case .busy:
                if !isWaiting { isWaiting = self.state.withLock { $0.wait(for: attempt.target) } }
                guard isWaiting, self.now() < end else {
                    return .unavailable(
                        reason: "the server has not answered other logins yet"
                    )
                }
                Thread.sleep(forTimeInterval: Self.waitingInterval)
            }
        }
    }

    /// Asks the server, unless it hangs or could not be asked a moment ago.
    private func ask(
        _ server: String,
        attempt: UpstreamAttempts.Attempt,
        question: () -> UpstreamAnswer
    ) -> UpstreamAnswer {
        var began = self.now()
        var permission = self.state.withLock {
            $0.servers.begin(server, isKnownNetwork: attempt.isKnownNetwork, at: began)
        }
        while permission == .wait {
            Thread.sleep(forTimeInterval: Self.waitingInterval)
            began = self.now()
            permission = self.state.withLock {
                $0.servers.begin(server, isKnownNetwork: attempt.isKnownNetwork, at: began)
            }
        }
        if case .failed(let reason) = permission {
            let answer = UpstreamAnswer.notAsked(reason: reason)
            self.state.withLock { $0.attempts.end(attempt, answer: answer, at: began) }
            return answer
        }
        let answer = question()
        let now = self.now()
        self.state.withLock { state in
            state.attempts.end(attempt, answer: answer, at: now)
            state.servers.end(server, began: began, answer: answer, at: now)
        }
        return answer
    }
}

extension PasswordQuestions.State {
    /// Counts a check that waits for others of its mailbox.
    /// - Returns: false if too many wait.
    fileprivate mutating func wait(for target: UpstreamAttempts.Target) -> Bool {
        guard self.waiting[target, default: 0] < PasswordQuestions.maximumWaiting else {
            return false
        }
        self.waiting[target, default: 0] += 1
        return true
    }

    /// A check waits no more.
    fileprivate mutating func leave(_ target: UpstreamAttempts.Target) {
        let count = self.waiting[target, default: 1] - 1
        self.waiting[target] = count > 0 ? count : nil
    }
}
