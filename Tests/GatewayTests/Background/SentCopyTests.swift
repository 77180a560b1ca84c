import Foundation
import Glibc
import NIOCore
import NIOEmbedded
import NIOPosix
import Support
import Synchronization
import Testing

@testable import Gateway

/// The copy of one message on its way to the disk: whole under its names, or not there at all.
@Suite struct SentCopyTests {
    /// A copy in a folder of its own, with a thread that writes and a loop that the test runs.
    private final class Bench: Sendable {
        let folder: TemporaryFolder
        let writer = BackgroundWriter()
        let loop = NIOAsyncTestingEventLoop()

        init() throws {
            self.folder = try TemporaryFolder()
            self.writer.start()
        }

        var spool: URL { self.folder.url.appendingPathComponent("sent") }

        func copy(_ name: String = "x.part") -> SentCopy {
            SentCopy(
                self.spool.appendingPathComponent(name),
                writer: self.writer,
                loop: self.loop
            )
        }

        /// Waits until everything that was asked for is done and told.
        func settle() async throws {
            await withCheckedContinuation { continuation in
                self.writer.submit { continuation.resume() }
            }
            await self.loop.run()
        }

        func text(_ name: String) -> String? {
            try? String(contentsOf: self.spool.appendingPathComponent(name), encoding: .utf8)
        }

        func targets(_ names: [String]) -> [URL] {
            names.map { self.spool.appendingPathComponent($0) }
        }
    }

    private static func withBench(_ body: (Bench) async throws -> Void) async throws {
        let bench = try Bench()
        try await bench.loop.executeInContext {}
        try await body(bench)
        try await bench.writer.stop()
        await bench.loop.shutdownGracefully()
    }

    private static func make(
        _ bench: Bench,
        _ name: String = "x.part"
    ) async throws -> NIOLoopBound<SentCopy> {
        try await bench.loop.executeInContext {
            NIOLoopBound(bench.copy(name), eventLoop: bench.loop)
        }
    }

    @Test func `the first octets create the folder and the file with access for their owner only`()
        async throws
    {
        try await Self.withBench { bench in
            let copy = try await Self.make(bench)
            #expect(bench.folder.names() == [])
            try await bench.loop.executeInContext { copy.value.append(ByteBuffer(string: "abc")) }
            try await bench.settle()
            #expect(bench.folder.names(in: "sent") == ["x.part"])
            #expect(bench.text("x.part") == "abc")
            for (path, mode) in [(bench.spool.path, 0o700), (bench.spool.path + "/x.part", 0o600)] {
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == mode)
            }
        }
    }

    @Test func `octets are written in order, and counted`() async throws {
        try await Self.withBench { bench in
            let copy = try await Self.make(bench)
            try await bench.loop.executeInContext {
                for number in 0..<500 { copy.value.append(ByteBuffer(string: "\(number)\r\n")) }
            }
            try await bench.settle()
            let text = (0..<500).map { "\($0)\r\n" }.joined()
            #expect(bench.text("x.part") == text)
            let octets = try await bench.loop.executeInContext { copy.value.octets }
            #expect(octets == UInt64(text.utf8.count))
        }
    }

    @Test func `a copy with many unwritten octets stops taking more, and reports when it resumes`()
        async throws
    {
        try await Self.withBench { bench in
            let drained = Mutex(0)
            // The thread that writes is busy.
            let isFree = DispatchSemaphore(value: 0)
            bench.writer.submit { isFree.wait() }
            let copy = try await Self.make(bench)
            let isWritable = try await bench.loop.executeInContext {
                copy.value.onDrained = { drained.withLock { $0 += 1 } }
                for _ in 0..<4 { copy.value.append(ByteBuffer(repeating: 0x61, count: 1_048_575)) }
                let before = copy.value.isWritable
                copy.value.append(ByteBuffer(string: "four"))
                return (before, copy.value.isWritable)
            }
            #expect(isWritable == (true, false))
            isFree.signal()
            try await bench.settle()
            #expect(drained.withLock { $0 } == 1)
            #expect(try await bench.loop.executeInContext { copy.value.isWritable })
        }
    }

    @Test(arguments: [1, 2, 5])
    func `a kept copy has its names, and after completion the same names with the new suffix`(
        count: Int
    ) async throws {
        try await Self.withBench { bench in
            let copy = try await Self.make(bench)
            let names = (0..<count).map { "\($0).unsent" }
            let isKept = Mutex<Bool?>(nil)
            try await bench.loop.executeInContext {
                copy.value.append(ByteBuffer(string: "message"))
                copy.value.keep(as: bench.targets(names)) { kept in isKept.withLock { $0 = kept } }
            }
            try await bench.settle()
            #expect(isKept.withLock { $0 } == true)
            #expect(bench.folder.names(in: "sent") == names)
            let found = Mutex<Set<URL>?>(nil)
            try await bench.loop.executeInContext {
                copy.value.complete(suffix: "eml") { urls in found.withLock { $0 = urls } }
            }
            try await bench.settle()
            let complete = (0..<count).map { "\($0).eml" }
            #expect(found.withLock { $0 } == Set(bench.targets(complete)))
            #expect(bench.folder.names(in: "sent") == complete)
            for name in complete { #expect(bench.text(name) == "message") }
        }
    }

    @Test func `an existing file is not replaced, and then no name is left`() async throws {
        try await Self.withBench { bench in
            try FileManager.default.createDirectory(
                at: bench.spool,
                withIntermediateDirectories: true
            )
            try bench.folder.write("another", as: "sent/1.unsent")
            let copy = try await Self.make(bench)
            let isKept = Mutex<Bool?>(nil)
            try await bench.loop.executeInContext {
                copy.value.append(ByteBuffer(string: "message"))
                copy.value.keep(as: bench.targets(["0.unsent", "1.unsent"])) { kept in
                    isKept.withLock { $0 = kept }
                }
            }
            try await bench.settle()
            #expect(isKept.withLock { $0 } == false)
            #expect(bench.text("1.unsent") == "another")
            #expect(bench.folder.names(in: "sent") == ["1.unsent"])
        }
    }

    @Test func `a name that cannot be completed is not reported, and keeps its old suffix`()
        async throws
    {
        try await Self.withBench { bench in
            let copy = try await Self.make(bench)
            let found = Mutex<Set<URL>?>(nil)
            try await bench.loop.executeInContext {
                copy.value.append(ByteBuffer(string: "message"))
                copy.value.keep(as: bench.targets(["0.unsent", "1.unsent"])) { _ in }
            }
            try await bench.settle()
            try bench.folder.write("another", as: "sent/0.eml")
            try await bench.loop.executeInContext {
                copy.value.complete(suffix: "eml") { urls in found.withLock { $0 = urls } }
            }
            try await bench.settle()
            #expect(found.withLock { $0 } == Set(bench.targets(["1.eml"])))
            #expect(bench.text("0.eml") == "another" && bench.text("1.eml") == "message")
            #expect(bench.folder.names(in: "sent") == ["0.eml", "0.unsent", "1.eml"])
        }
    }

    @Test func `a kept copy that is dropped leaves no file`() async throws {
        try await Self.withBench { bench in
            let copy = try await Self.make(bench)
            try await bench.loop.executeInContext {
                copy.value.append(ByteBuffer(string: "message"))
                copy.value.keep(as: bench.targets(["0.unsent", "1.unsent"])) { _ in }
                copy.value.drop()
            }
            try await bench.settle()
            #expect(bench.folder.names(in: "sent") == [])
        }
    }

    @Test func `a dropped copy leaves no file`() async throws {
        try await Self.withBench { bench in
            let copy = try await Self.make(bench)
            try await bench.loop.executeInContext {
                copy.value.append(ByteBuffer(string: "message"))
                copy.value.drop()
            }
            try await bench.settle()
            #expect(bench.folder.names(in: "sent") == [])
        }
    }

    @Test func `a copy without octets is not kept, and gets no name`() async throws {
        try await Self.withBench { bench in
            let copy = try await Self.make(bench)
            let targets = bench.targets(["0.unsent"])
            let results = Mutex<(kept: Bool?, names: Set<URL>?)>((nil, nil))
            try await bench.loop.executeInContext {
                copy.value.keep(as: targets) { isDone in results.withLock { $0.kept = isDone } }
                copy.value.complete(suffix: "eml") { urls in results.withLock { $0.names = urls } }
            }
            try await bench.settle()
            #expect(results.withLock { $0.kept } == false)
            #expect(results.withLock { $0.names } == [])
        }
    }

    // MARK: - Disks that take nothing

    /// What keeps a file from being written.
    enum Obstacle: String, CaseIterable, Sendable {
        /// Where the folder should be there is a file.
        case noFolder
        /// The file system takes no files.
        case noFiles
        /// Where the file should be there is a folder.
        case folderInPlace
    }

    private static func put(_ obstacle: Obstacle, _ bench: Bench) throws {
        switch obstacle {
        case .noFolder:
            try bench.folder.write("x", as: "sent")
        case .noFiles:
            #expect(symlink("/proc/self", bench.spool.path) == 0)
        case .folderInPlace:
            try FileManager.default.createDirectory(
                at: bench.spool.appendingPathComponent("x.part"),
                withIntermediateDirectories: true
            )
        }
    }

    @Test(arguments: Obstacle.allCases)
    func `a copy that cannot be written reports that, and gets no name`(
        obstacle: Obstacle
    )
        async throws
    {
        try await Self.withBench { bench in
            try Self.put(obstacle, bench)
            let copy = try await Self.make(bench)
            let targets = bench.targets(["0.unsent"])
            let results = Mutex<(kept: Bool?, names: Set<URL>?)>((nil, nil))
            try await bench.loop.executeInContext {
                copy.value.append(ByteBuffer(string: "one"))
                copy.value.append(ByteBuffer(string: "two"))
                copy.value.keep(as: targets) { isDone in results.withLock { $0.kept = isDone } }
                copy.value.complete(suffix: "eml") { urls in results.withLock { $0.names = urls } }
            }
            try await bench.settle()
            #expect(results.withLock { $0.kept } == false)
            #expect(results.withLock { $0.names } == [])
            let left = Set(bench.folder.names(in: "sent"))
            #expect(left.isDisjoint(with: ["0.unsent", "0.eml"]))
            // The client is read on: what could not be written does not wait.
            #expect(try await bench.loop.executeInContext { copy.value.isWritable })
        }
    }
}
