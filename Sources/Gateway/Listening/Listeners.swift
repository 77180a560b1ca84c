import Glibc
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// The sockets that clients connect to, and the sessions of all event loops.
final class Listeners: ControlledSessions {
    /// Connections that the kernel queues until they are accepted (listen(2)).
    private static let backlog: CInt = 1_024
    /// The largest read before TLS: a few commands. With TLS, `TLSHandler` sets the size.
    private static let maximumReadOctets = 4 * 1_024
    /// How long sessions without a message in transit may take to close.
    private static let goodbyeTime = Duration.seconds(2)
    /// The interval of looks at the sessions that still close.
    private static let drainPause = Duration.milliseconds(20)
    /// A lasting shortage is logged at once, and then at most once in this period.
    private static let shortageLogPeriod = TimeAmount.minutes(1)

    private let gateway: GatewayContext
    private let group: MultiThreadedEventLoopGroup
    /// Each event loop with its sessions.
    private let loops: [ObjectIdentifier: (any EventLoop, NIOLoopBound<EventLoopSessions>)]
    /// When the last shortage was logged.
    private let shortageLogged = NIOLockedValueBox<NIODeadline?>(nil)
    /// The listening sockets.
    private let sockets = NIOLockedValueBox<[any Channel]>([])

    /// Must not be called on an event loop of `group`: it waits for each of them.
    init(gateway: GatewayContext, group: MultiThreadedEventLoopGroup) async throws {
        self.gateway = gateway
        self.group = group
        var loops: [ObjectIdentifier: (any EventLoop, NIOLoopBound<EventLoopSessions>)] = [:]
        for loop in group.makeIterator() {
            let state = try await loop.submit { NIOLoopBound(EventLoopSessions(), eventLoop: loop) }
                .get()
            loops[ObjectIdentifier(loop)] = (loop, state)
        }
        self.loops = loops
    }

    /// Binds all sockets. Clients wait in the kernel's queue until ``accept()``.
    /// - Throws: ``ConfigurationError`` with the key, the address, the reason and a remedy.
    func bind() async throws {
        for listener in self.gateway.configuration.listeners {
            let socket = try await self.bind(listener)
            self.sockets.withLockedValue { $0.append(socket) }
            self.gateway.logger.info(
                "listening",
                metadata: [
                    "for": "\(listener.kind.rawValue)",
                    "address": "\(listener.address):\(listener.port)",
                ]
            )
        }
    }

    /// Begins to accept clients.
    func accept() {
        self.followTime()
        for socket in self.sockets.withLockedValue({ $0 }) {
            socket.setOption(.autoRead, value: true).whenComplete { _ in socket.read() }
        }
    }

    /// Binds one listener.
    /// - Throws: ``ConfigurationError``.
    private func bind(_ listener: Listener) async throws -> any Channel {
        do {
            return try await self.open(listener)
        } catch {
            throw Self.bindFailure(listener, error: error)
        }
    }

    /// - Returns: the key of the configuration, the address, the reason and a remedy.
    private static func bindFailure(_ listener: Listener, error: any Error) -> ConfigurationError {
        let failure = ConnectionFailure(error)
        let remedy =
            switch failure {
            case .system(EADDRINUSE): ": stop the other program, or choose another port"
            case .system(EACCES): ": a port below 1024 needs root or CAP_NET_BIND_SERVICE"
            case .system(EADDRNOTAVAIL), .noSuchHost: ": name an address of this machine"
            default: ""
            }
        return ConfigurationError(
            description: "listen.\(listener.kind.rawValue): cannot listen at "
                + "\(listener.address):\(listener.port): \(failure.reason)\(remedy)"
        )
    }

    /// Binds one listener with its socket options and handlers. It accepts no client yet.
    /// - Throws: errors of NIO.
    private func open(_ listener: Listener) async throws -> any Channel {
        try await ServerBootstrap(group: self.group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Clients wait until all services have been started.
            .serverChannelOption(.autoRead, value: false)
            .serverChannelInitializer { [gateway = self.gateway] channel in
                channel.eventLoop.makeCompletedFuture {
                    try Pipeline.addListener(to: channel, gateway: gateway)
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            // Back-pressure is decided again after each read.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 64,
                    initial: 512,
                    maximum: Self.maximumReadOctets
                )
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try self.accept(channel, kind: listener.kind)
                }
            }
            .bind(host: listener.address, port: listener.port)
            .get()
    }

    /// Admits a client, or refuses it. Called on the client's event loop.
    private func accept(_ channel: any Channel, kind: Listener.Kind) throws {
        self.gateway.descriptors.count(channel)
        let address = channel.remoteAddress
        let arrival: Admission.Arrival
        do {
            arrival = try self.gateway.admission.admit(
                address,
                isKnown: self.gateway.authenticator.isKnown(Network(address))
            )
        } catch {
            return try self.refuse(channel, kind: kind, refusal: error)
        }
        channel.closeFuture.whenComplete { [gateway = self.gateway] _ in
            gateway.admission.release(address)
        }
        guard let (_, loop) = self.loops[ObjectIdentifier(channel.eventLoop)] else {
            throw AdmissionRefused()
        }
        try Pipeline.addClient(
            to: channel,
            kind: kind,
            arrival: arrival,
            gateway: self.gateway,
            sessions: loop.value
        )
    }

    /// Tells a client that it is over a limit, and closes. Beyond the maximum number of such
    /// clients, closes without a response.
    /// - Throws: ``AdmissionRefused`` to close without a response.
    private func refuse(
        _ channel: any Channel,
        kind: Listener.Kind,
        refusal: Admission.Refusal
    ) throws {
        if refusal == .noDescriptors { self.logShortage() }
        guard self.gateway.admission.beginRefusal() else { throw AdmissionRefused() }
        channel.closeFuture.whenComplete { [gateway = self.gateway] _ in
            gateway.admission.endRefusal()
        }
        try Pipeline.addRefusal(to: channel, kind: kind, gateway: self.gateway)
    }

    /// Logs a shortage of descriptors, at most once in ``shortageLogPeriod``.
    private func logShortage() {
        let now = NIODeadline.now()
        let isDue = self.shortageLogged.withLockedValue { logged in
            if let last = logged, now - last < Self.shortageLogPeriod { return false }
            logged = now
            return true
        }
        guard isDue else { return }
        self.gateway.logger.error(
            "few file descriptors are left: clients from unknown networks are refused: raise the limit of open files"
        )
    }

    /// Whether a session has a message in transit that may still be completed.
    private func isSending() async -> Bool {
        for (loop, state) in self.loops.values {
            let isSending = try? await loop.submit { state.value.isSending }.get()
            if isSending ?? false { return true }
        }
        return false
    }

    /// Closes a refused connection without a response.
    private struct AdmissionRefused: Error {}

    /// Tells all sessions that other permissions are in force. Returns at once; the event loops do
    /// the work.
    func permissionsChanged() {
        for (loop, state) in self.loops.values {
            loop.execute { state.value.permissionsChanged(on: loop) }
        }
    }

    /// Starts the tasks that run on each event loop: the record of counted events each minute, and
    /// the stall meter if it is configured.
    private func followTime() {
        for (loop, state) in self.loops.values {
            if let threshold = self.gateway.configuration.limits.stallTime {
                let logger = self.gateway.logger
                LoopStallMeter.start(on: loop, threshold: threshold, logger: logger)
            }
            loop.scheduleRepeatedTask(initialDelay: .minutes(1), delay: .minutes(1)) { _ in
                state.value.auditDue(on: loop)
            }
        }
    }

    // MARK: - Sessions

    /// Collects the sessions of all event loops.
    func sessions(on loop: any EventLoop) -> EventLoopFuture<[SessionSummary]> {
        let found = self.loops.values.map { other, state in
            other.submit { state.value.sessions }
        }
        return EventLoopFuture.whenAllSucceed(found, on: loop).map { $0.flatMap { $0 } }
    }

    /// - Returns: the session that is ended; nil where there is none with this number.
    func endSession(_ number: UInt64, on loop: any EventLoop) -> EventLoopFuture<SessionSummary?> {
        let found = self.loops.values.map { other, state in
            other.submit { state.value.endSession(number) }
        }
        return EventLoopFuture.whenAllSucceed(found, on: loop).map { $0.compactMap { $0 }.first }
    }

    /// Closes the listening sockets, tells every session to end, and waits for that: for sessions
    /// with a message in transit up to `limits.drainSeconds`, for others up to ``goodbyeTime``.
    func close() async throws {
        let sockets = self.sockets.withLockedValue { sockets in
            defer { sockets = [] }
            return sockets
        }
        for socket in sockets { try? await socket.close().get() }
        for (loop, state) in self.loops.values {
            loop.execute { state.value.shutDown() }
        }
        let start = ContinuousClock.now
        let drainTime = Duration.nanoseconds(
            self.gateway.configuration.limits.drainTime.nanoseconds
        )
        while true {
            let waited = ContinuousClock.now - start
            let isSending = await self.isSending()
            if !isSending, self.gateway.admission.isEmpty { return }
            guard waited < (isSending ? max(drainTime, Self.goodbyeTime) : Self.goodbyeTime) else {
                return
            }
            try? await Task.sleep(for: Self.drainPause)
        }
    }
}
