import Foundation

/// What nodes and the database used up to a moment.
struct Costs {
    /// Processor time of this process, in seconds.
    var nodes: Double
    /// Processor time of the database server, in seconds.
    var database: Double
    /// Octets on the connections to the database, in both directions, without TCP headers.
    var octets: Double
    /// Connections to the database.
    var connections: Int
    /// When it was measured.
    var time: ContinuousClock.Instant

    /// Measures now.
    /// - Parameters:
    ///   - server: The first process of the database server.
    ///   - port: Its TCP port.
    init(server: Int32, port: UInt16) {
        let traffic = Traffic(port: port)
        self.nodes = Self.processorTime(CLOCK_PROCESS_CPUTIME_ID)
        self.database = Self.children(of: server)
        self.octets = Double(traffic.octets)
        self.connections = traffic.connections
        self.time = .now
    }

    /// Seconds of a clock of processor time.
    static func processorTime(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Processor time of the processes that a process started, in seconds.
    private static func children(of parent: Int32) -> Double {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let ticks = processes.compactMap { name -> Int? in
            guard Int(name) != nil,
                let text = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
                let end = text.lastIndex(of: ")")
            else { return nil }
            // proc(5): the state is the first field behind the name.
            let fields = text[end...].split(separator: " ").dropFirst()
            let numbers = fields.map { Int($0) ?? 0 }
            return numbers.count > 12 && numbers[1] == parent ? numbers[11] + numbers[12] : nil
        }
        return Double(ticks.reduce(0, +)) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}

/// The octets of this process on its connections to one port.
private struct Traffic {
    /// The positions of `tcpi_bytes_acked` and `tcpi_bytes_received` in `struct tcp_info`
    /// (linux/tcp.h), which the header of glibc lacks.
    private static let positions = [120, 128]
    /// No process here has more descriptors.
    private static let maximumDescriptors: Int32 = 4_096

    var octets: UInt64 = 0
    var connections = 0

    init(port: UInt16) {
        for descriptor in 0..<Self.maximumDescriptors {
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isConnected = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getpeername(descriptor, $0, &length) == 0
                }
            }
            guard isConnected, address.sin_port == port.bigEndian else { continue }
            self.connections += 1
            self.octets += Self.octets(of: descriptor)
        }
    }

    private static func octets(of descriptor: Int32) -> UInt64 {
        withUnsafeTemporaryAllocation(byteCount: 512, alignment: 8) { buffer in
            var length = socklen_t(buffer.count)
            guard
                getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, buffer.baseAddress, &length)
                    == 0
            else { return 0 }
            return self.positions.filter { $0 + 8 <= Int(length) }
                .reduce(0) { $0 + buffer.load(fromByteOffset: $1, as: UInt64.self) }
        }
    }
}
