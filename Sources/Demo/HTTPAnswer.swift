/// An answer of the test server, with JSON in it.
struct HTTPAnswer {
    var status = 200
    var headers: [String: String] = [:]
    var body = ""
}
