"""The addresses of the pages and of the interface for programs."""

from __future__ import annotations

from django.urls import path

from lzgis.web.views import accounts, check, errors, files, give, history, processes, read

urlpatterns = [
    path("", give.home, name="home"),
    path("give/file", give.give_file, name="give-file"),
    path("give/text", give.give_text, name="give-text"),
    path("give/drawn", give.give_drawn, name="give-drawn"),
    path("give/example", give.give_example, name="give-example"),
    path("check/<slug:key>", check.show, name="check"),
    path("check/<slug:key>/body", check.body, name="check-body"),
    path("check/<slug:key>/shapes.json", check.shapes, name="check-shapes"),
    path("check/<slug:key>/again", check.again, name="check-again"),
    path("check/<slug:key>/facts", check.facts, name="check-facts"),
    path("check/<slug:key>/screen", check.begin, name="check-screen"),
    path("screenings", history.show, name="history"),
    path("screenings/<slug:key>", read.show, name="read"),
    path("screenings/<slug:key>/body", read.body, name="read-body"),
    path("screenings/<slug:key>/shapes.json", read.shapes, name="read-shapes"),
    path("screenings/<slug:key>/sites/<int:number>", read.site, name="read-site"),
    path("screenings/<slug:key>/sites/<int:number>/avoid", read.move, name="read-avoid"),
    path("screenings/<slug:key>/sites/<int:number>/avoid.json", read.moved, name="read-avoided"),
    path("screenings/<slug:key>/sites/<int:number>/decide", read.decide, name="read-decide"),
    path("screenings/<slug:key>/compare", read.compare, name="read-compare"),
    path("screenings/<slug:key>/cancel", read.cancel, name="read-cancel"),
    path("screenings/<slug:key>/again", read.again, name="read-again"),
    path("screenings/<slug:key>/facts", read.declare, name="read-facts"),
    path("screenings/<slug:key>/note", read.note, name="read-note"),
    path("screenings/<slug:key>/delete", read.delete, name="read-delete"),
    path("screenings/<slug:key>/files", files.begin, name="files"),
    path("files/<slug:key>", files.state, name="files-state"),
    path("files/<slug:key>/download", files.download, name="files-download"),
    path("files/<slug:key>/map", files.show_map, name="files-map"),
    path("city", history.city_page, name="city"),
    path("city/audit", files.begin_audit, name="city-audit"),
    path("city/map.json", give.city_map, name="city-map"),
    path("language", accounts.language, name="language"),
    path("login", accounts.log_in, name="login"),
    path("logout", accounts.log_out, name="logout"),
    path("account", accounts.own, name="account"),
    path("accounts", accounts.everyone, name="accounts"),
    path("log", accounts.entries, name="log"),
    path("static/<path:name>", files.static, name="static"),
    path("conformance", processes.conformance, name="conformance"),
    path("api", processes.definition, name="api"),
    path("api.html", processes.definition_page, name="api-page"),
    path("processes", processes.processes, name="processes"),
    path("processes/screen", processes.process, name="process"),
    path("processes/screen/execution", processes.execute, name="execute"),
    path("jobs", processes.jobs, name="jobs"),
    path("jobs/<slug:key>", processes.job, name="job"),
    path("jobs/<slug:key>/results", processes.results, name="results"),
    path("jobs/<slug:key>/results/<slug:name>", processes.result_file, name="result-file"),
]

handler400, handler403, handler404, handler500 = (
    errors.bad_request,
    errors.forbidden,
    errors.not_found,
    errors.server_error,
)
