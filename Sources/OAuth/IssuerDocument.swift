import Synchronization

/// A document of an issuer that is fetched when it is needed and kept for a time.
///
/// There is one fetch at a time, and all callers wait for it. A failure is repeated for 10 seconds
/// without a fetch, and then until a new fetch succeeds, for which one caller waits: a server that
/// hangs must not delay every login.
final class IssuerDocument<Value: Sendable>: Sendable {
    /// A fetched document.
    struct Version: Sendable {
        /// Counts the fetched documents.
        var number: Int
        var value: Value
        /// When it was fetched, in seconds since 1970.
        var fetched: Int64
        /// How long it needs no fetch, in seconds.
        var lifetime: Int64
    }

    private struct State {
        var version: Version?
        var fetch: Task<Void, Never>?
        /// The failure of the last fetch; nil after a success.
        var failure: (reason: String, time: Int64)?
        /// The time of the last fetch for the sake of a part that the document lacks.
        var demanded: Int64?
    }

    /// What a caller does after a look at the state.
    private enum Step {
        case use(Version)
        case wait(Task<Void, Never>)
        case fail(String)
        case none
    }

    /// How long a failure is repeated, in seconds.
    private let failureLifetime: Int64 = 10
    /// How long a document is used in spite of failures, from its fetch on, in seconds.
    private let longestUse: Int64 = 86_400
    /// The shortest time between two fetches that tokens demand, in seconds: an attacker can demand
    /// one with each token.
    private let demandInterval: Int64 = 60
    /// The age below which a demand is not believed, in seconds.
    private let minimumAge: Int64 = 10
    /// The time for which a document is kept if the server names none, in seconds.
    private let standardLifetime: Int64 = 3_600
    /// The limits of the time for which a document is kept, in seconds.
    private let lifetimes: ClosedRange<Int64> = 300...86_400

    private let now: @Sendable () -> Int64
    private let load: @Sendable () async throws(FetchFailure) -> (Value, maxAge: Int64?)
    private let state = Mutex(State())

    /// - Parameters:
    ///   - now: the time in seconds since 1970.
    ///   - load: fetches the document, and says for how many seconds the server lets it be kept.
    init(
        now: @escaping @Sendable () -> Int64,
        load: @escaping @Sendable () async throws(FetchFailure) -> (Value, maxAge: Int64?)
    ) {
        self.now = now
        self.load = load
    }

    /// The document: the kept one, a new one, or an old one of at most 24 hours if the fetch fails.
    func current() async throws(FetchFailure) -> Version {
        let step = self.state.withLock { state -> Step in
            let now = self.now()
            if let version = state.version,
                Self.isWithin(version.lifetime, of: version.fetched, at: now)
            {
                return .use(version)
            }
            // After a failure, only the caller that tries again waits for the server.
            if let fetch = state.fetch {
                return state.failure == nil ? .wait(fetch) : self.old(state, at: now)
            }
            guard self.repeatsFailure(state, at: now) else { return .wait(self.start(&state)) }
            return self.old(state, at: now)
        }
        if case .wait(let fetch) = step { await fetch.value }
        let result: Step =
            if case .wait = step {
                self.state.withLock { self.old($0, at: self.now()) }
            } else {
                step
            }
        switch result {
        case .use(let version): return version
        case .fail(let reason): throw FetchFailure(reason: reason)
        case .wait, .none: throw FetchFailure(reason: "the issuer's document cannot be had")
        }
    }

    /// A newer document than the one that lacks a part, such as a key.
    /// - Returns: nil if there is none.
    func newer(than old: Version) async throws(FetchFailure) -> Version? {
        let step = self.state.withLock { state -> Step in
            if let version = state.version, version.number > old.number { return .use(version) }
            let now = self.now()
            if let fetch = state.fetch {
                return state.failure.map { .fail($0.reason) } ?? .wait(fetch)
            }
            if Self.isWithin(self.minimumAge, of: old.fetched, at: now) { return .none }
            if let demanded = state.demanded,
                Self.isWithin(self.demandInterval, of: demanded, at: now)
            {
                return state.failure.map { .fail($0.reason) } ?? .none
            }
            if self.repeatsFailure(state, at: now), let failure = state.failure {
                return .fail(failure.reason)
            }
            state.demanded = now
            return .wait(self.start(&state))
        }
        switch step {
        case .use(let version): return version
        case .none: return nil
        case .fail(let reason): throw FetchFailure(reason: reason)
        case .wait(let fetch):
            await fetch.value
            let (version, failure) = self.state.withLock { ($0.version, $0.failure) }
            if let version, version.number > old.number { return version }
            if let failure { throw FetchFailure(reason: failure.reason) }
            return nil
        }
    }

    /// The document in spite of its age, or the reason why there is none.
    private func old(_ state: State, at now: Int64) -> Step {
        if let version = state.version, Self.isWithin(self.longestUse, of: version.fetched, at: now)
        {
            return .use(version)
        }
        return .fail(state.failure?.reason ?? "the issuer's document cannot be had")
    }

    private func repeatsFailure(_ state: State, at now: Int64) -> Bool {
        state.failure.map { Self.isWithin(self.failureLifetime, of: $0.time, at: now) } ?? false
    }

    /// Whether less than a time has passed. A clock that was set back has passed every time.
    private static func isWithin(_ seconds: Int64, of start: Int64, at now: Int64) -> Bool {
        now >= start && now - start < seconds
    }

    /// Starts a fetch. It does not end with the caller that needs it first.
    private func start(_ state: inout State) -> Task<Void, Never> {
        let fetch = Task { await self.fetch() }
        state.fetch = fetch
        return fetch
    }

    private func fetch() async {
        let began = self.now()
        let result: Result<(Value, maxAge: Int64?), FetchFailure>
        do throws(FetchFailure) { result = .success(try await self.load()) } catch {
            result = .failure(error)
        }
        self.state.withLock { state in
            state.fetch = nil
            switch result {
            case .success(let (value, maxAge)):
                let lifetime = max(maxAge ?? self.standardLifetime, self.lifetimes.lowerBound)
                state.version = Version(
                    number: (state.version?.number ?? 0) + 1,
                    value: value,
                    fetched: began,
                    lifetime: min(lifetime, self.lifetimes.upperBound)
                )
                state.failure = nil
            case .failure(let failure):
                state.failure = (failure.reason, self.now())
            }
        }
    }
}
