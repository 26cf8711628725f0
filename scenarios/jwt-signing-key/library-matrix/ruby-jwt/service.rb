# A small service that checks bearer tokens with ruby-jwt and the JWKS loader of its README.
require "jwt"
require "net/http"
require "json"
require "webrick"

fetched_at = Time.at(0)
cached = nil
fetching = Mutex.new
loader = lambda do |options|
  fetching.synchronize do
    # An unknown kid makes it fetch again, at most once in five minutes, as the README has it.
    cached = nil if options[:kid_not_found] && fetched_at < Time.now - 300
    cached ||= begin
      fetched_at = Time.now
      answer = Net::HTTP.get_response(URI(ENV.fetch("JWKS_URL")))
      raise JWT::DecodeError, "the key set answers #{answer.code}" unless answer.is_a?(Net::HTTPSuccess)
      JSON.parse(answer.body, symbolize_names: true)
    end
  end
end

server = WEBrick::HTTPServer.new(Port: Integer(ENV.fetch("PORT", "8080")), AccessLog: [], Logger: WEBrick::Log.new(nil, 0))
server.mount_proc "/healthz" do |_, response|
  response.body = "ok\n"
end
server.mount_proc "/" do |request, response|
  token = request["Authorization"].to_s.delete_prefix("Bearer ")
  claims, = JWT.decode(token, nil, true, algorithms: %w[ES256 RS256], jwks: loader,
    iss: ENV.fetch("ISSUER"), verify_iss: true, aud: ENV.fetch("AUDIENCE"), verify_aud: true)
  response.body = "#{claims["sub"]}\n"
rescue JWT::DecodeError, SystemCallError, JSON::ParserError => refused
  response.status = 401
  response.body = "#{refused.class}\n"
end
trap("TERM") { server.shutdown }
server.start
