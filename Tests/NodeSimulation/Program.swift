import Foundation

/// `NodeSimulation [NODES [USERS [CHANGES [RATE]]]]`
@main
enum Program {
    static func main() {
        var sizes = NodeSimulation.Sizes()
        let numbers = CommandLine.arguments.dropFirst().map { Int($0) ?? 0 }
        for (path, number) in zip([\NodeSimulation.Sizes.nodes, \.users, \.changes], numbers) {
            sizes[keyPath: path] = number
        }
        if numbers.count > 3 { sizes.rate = Double(numbers[3]) }
        do {
            try NodeSimulation(sizes).run()
        } catch {
            print("failed: \(error)")
            exit(1)
        }
    }
}
