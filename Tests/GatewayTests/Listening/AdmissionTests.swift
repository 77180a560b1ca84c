import Access
import Glibc
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Synchronization
import Testing

@testable import Gateway

/// How many connections strangers hold.
@Suite struct AdmissionTests {
    private static func admission(descriptors: Int = 10_000) -> (Admission, DescriptorBudget) {
        var limits = GatewayConfiguration.Limits()
        limits.connectionsPerAddress = 10
        let budget = DescriptorBudget(limit: descriptors)
        return (Admission(limits: limits, descriptors: budget), budget)
    }

    private static func address(_ text: String) throws -> SocketAddress {
        try SocketAddress(ipAddress: text, port: 1_000)
    }

    /// - Returns: the connections of so many addresses that were admitted.
    private static func admit(
        _ addresses: [String],
        _ admission: Admission
    ) throws -> [Admission.Arrival] {
        try addresses.compactMap { text in
            let address = try self.address(text)
            return try? admission.admit(address, isKnown: false)
        }
    }

    @Test func `addresses of one prefix share the limit of connections before the login`() throws {
        let (admission, _) = Self.admission()
        let subnet = try Self.admit((0..<50).map { "2001:db8:1:2::\($0)" }, admission)
        #expect(subnet.count == 10)
        let site = try Self.admit((3..<100).map { "2001:db8:1:\($0)::1" }, admission)
        #expect(site.count == 30)
        let others = try Self.admit((0..<50).map { "2001:db8:\($0 + 2):1::1" }, admission)
        #expect(others.count == 50)
        let again = try Self.admit(["2001:db8:1:2::ffff"], admission)
        #expect(again.isEmpty)
        withExtendedLifetime((subnet, site, others)) {}
    }

    @Test func `a login ends the count of a connection for its network`() throws {
        let (admission, _) = Self.admission()
        for number in 0..<50 {
            // Logged in at once: what counts the arrival is let go, the address stays.
            #expect(try Self.admit(["2001:db8:1:2::\(number)"], admission).count == 1)
        }
        let one = try Self.admit(Array(repeating: "192.0.2.7", count: 20), admission)
        #expect(one.count == 10)
    }

    @Test func `the last descriptors are reserved for known networks`() throws {
        let (admission, budget) = Self.admission(descriptors: 400)
        let channels = (0..<236).map { _ in EmbeddedChannel() }
        for channel in channels { budget.count(channel) }
        let address = try Self.address("192.0.2.7")
        #expect(throws: Admission.Refusal.noDescriptors) {
            _ = try admission.admit(address, isKnown: false)
        }
        #expect(throws: Never.self) { _ = try admission.admit(address, isKnown: true) }
        for channel in channels { _ = try channel.finish() }
        #expect(throws: Never.self) { _ = try admission.admit(address, isKnown: false) }
    }

    @Test(.timeLimit(.minutes(20)))
    func `a listener without descriptors pauses and logs it`() async throws {
        let lines = Lines()
        let logger = Logger(label: "test") { _ in LineHandler(lines: lines) }
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: logger))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        for _ in 0..<5 {
            listener.pipeline.fireErrorCaught(IOError(errnoCode: EMFILE, reason: "accept"))
        }
        #expect(try await listener.getOption(.autoRead).get() == false)
        #expect(lines.texts.withLock { $0.count } == 1)
        // The kernel holds who comes meanwhile.
        let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: #require(listener.localAddress)).get()
        while try await !listener.getOption(.autoRead).get() {
            try await Task.sleep(for: .milliseconds(100))
        }
        try await client.close()
        try await listener.close()
    }

    private final class Lines: Sendable {
        let texts = Mutex<[String]>([])
    }

    private struct LineHandler: LogHandler {
        let lines: Lines
        var metadata = Logger.Metadata()
        var logLevel = Logger.Level.info

        init(lines: Lines) {
            self.lines = lines
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            self.lines.texts.withLock { $0.append("\(event.message)") }
        }
    }
}
