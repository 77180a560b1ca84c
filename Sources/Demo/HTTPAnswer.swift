/// A response of the test server with a JSON body.
struct HTTPAnswer {
    var status = 200
    var headers: [String: String] = [:]
    var body = ""
}
